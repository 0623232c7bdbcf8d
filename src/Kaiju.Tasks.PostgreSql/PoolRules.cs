using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>What the store needs of a pool. Without it a host would start and never run anything.</summary>
internal static class PoolRules
{
    private const string Option = "The connection string of UsePostgreSql";
    private const string Advice =
        "it must name the server and the database, such as \"Host=localhost;Database=shop;Username=shop\".";

    private static readonly ConnectionText<NpgsqlConnectionStringBuilder> _text = new(Option, "Npgsql");

    /// <summary>Refuses a connection string that no connection can be opened with.</summary>
    /// <exception cref="ArgumentException">It cannot be read, names no server, or has a setting that the store cannot
    /// work with.</exception>
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

    /// <param name="connectionString">The settings of a data source.</param>
    /// <param name="kept">How many of its connections the store keeps.</param>
    /// <exception cref="ArgumentException">A setting is not enough, or the store cannot work with it.</exception>
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
                + $"{nameof(NpgsqlDataSource)} is made, "
                + "or give UsePostgreSql a connection string: then what the store keeps is not of the pool.",
                nameof(connectionString));
        }
    }

    private static void ThrowIfMultiplexed(NpgsqlConnectionStringBuilder text)
    {
        if (text.Multiplexing)
        {
            throw new ArgumentException(
                "Multiplexing is true; it must be false: a multiplexed session cannot LISTEN, and carries out nothing "
                + "without awaiting. Take it out of the connection string.");
        }
    }
}
