using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>What the store needs of a pool. Without it a host would start and never run anything.</summary>
internal static class PoolRules
{
    /// <param name="connectionString">The pool's settings.</param>
    /// <param name="kept">How many of its connections the store keeps.</param>
    /// <exception cref="ArgumentException">A setting is not enough, or is one that the store cannot work with.</exception>
    public static void ThrowIfUnfit(string connectionString, int kept)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString);
        if (text.Multiplexing)
        {
            throw new ArgumentException(
                "Multiplexing is true; it must be false: a multiplexed session cannot LISTEN, and carries out nothing without "
                + "awaiting. Take it out of the connection string.",
                nameof(connectionString));
        }

        var least = kept + 1;
        if (text.Pooling && text.MaxPoolSize < least)
        {
            throw new ArgumentException(
                $"Maximum Pool Size of the data source is {text.MaxPoolSize}; it must be at least {least}: the store keeps {kept} "
                + $"of its connections and needs one for everything else. Raise it where the {nameof(NpgsqlDataSource)} is made, "
                + "or give UsePostgreSql a connection string: then what the store keeps is not of the pool.",
                nameof(connectionString));
        }
    }
}
