using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Checks whether a pool fits the store. With an unfit pool the host would start but never run a task.
/// </summary>
internal static class PoolRules
{
    private const string Option = "The connection string of UsePostgreSql";
    private const string Advice =
        "it must name the server and the database, such as \"Host=localhost;Database=shop;Username=shop\".";

    private static readonly ConnectionText<NpgsqlConnectionStringBuilder> _text = new(Option, "Npgsql");

    /// <summary>Refuses an unfit connection string.</summary>
    /// <exception cref="ArgumentException">
    /// The string is invalid, names no server, or has a setting that the store cannot work with.
    /// </exception>
    public static void ThrowIfUnfit(string connectionString)
    {
        if (string.IsNullOrWhiteSpace(connectionString))
        {
            throw new ArgumentException($"{Option} is empty; {Advice}");
        }

        var text = _text.Read(connectionString);
        if (string.IsNullOrWhiteSpace(text.Host))
        {
            throw new ArgumentException($"{Option} has no Host; {Advice}");
        }

        ThrowIfMultiplexed(text);
    }

    /// <summary>Refuses an unfit data source.</summary>
    /// <param name="connectionString">The connection string of the data source.</param>
    /// <param name="kept">The number of its connections that the store keeps.</param>
    /// <exception cref="ArgumentException">
    /// The pool is too small, or has a setting that the store cannot use.
    /// </exception>
    public static void ThrowIfUnfit(string connectionString, int kept)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString);
        ThrowIfMultiplexed(text);
        var least = kept + 1;
        if (text.Pooling && text.MaxPoolSize < least)
        {
            throw new ArgumentException(
                $"Maximum Pool Size of the data source is {text.MaxPoolSize}; it must be at least {least}: the store "
                + $"keeps {kept} "
                + "of its connections and needs one for everything else. Raise it where the "
                + $"{nameof(NpgsqlDataSource)} is created, "
                + "or give UsePostgreSql a connection string: then the kept connections do not count in its pool.",
                nameof(connectionString));
        }
    }

    private static void ThrowIfMultiplexed(NpgsqlConnectionStringBuilder text)
    {
        if (text.Multiplexing)
        {
            throw new ArgumentException(
                "Multiplexing is true; it must be false: a multiplexed session cannot LISTEN, and cannot be used "
                + "synchronously. Remove it from the connection string.");
        }
    }
}
