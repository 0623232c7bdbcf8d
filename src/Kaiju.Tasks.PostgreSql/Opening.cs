using System.Transactions;
using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Opens the store's connections outside the caller's ambient transaction (<see cref="TransactionScope"/>). The driver
/// would enlist them in it, and a batch belongs to many callers.
/// </summary>
internal static class Opening
{
    public static async ValueTask<NpgsqlConnection> OpenAsync(
        NpgsqlDataSource source, Place place, CancellationToken cancellationToken)
    {
        try
        {
            return IsSurrounded()
                ? await OpenApartAsync(source, cancellationToken).ConfigureAwait(false)
                : await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (place.IsWanted(e))
        {
            throw place.Located(e);
        }
        catch (ObjectDisposedException e)
        {
            throw new ObjectDisposedException(
                $"The NpgsqlDataSource of the tasks was disposed of; dispose of it after the host. ({place})", e);
        }
    }

    /// <summary>
    /// True if there is an ambient transaction. In a scope that is completed but not yet disposed, asking throws, for
    /// the driver as well.
    /// </summary>
    private static bool IsSurrounded()
    {
        try
        {
            return Transaction.Current is not null;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    /// <summary>
    /// Opens on another thread, without the caller's context, so that no scope applies. A suppressing scope here would
    /// have to be disposed on the thread that created it.
    /// </summary>
    private static Task<NpgsqlConnection> OpenApartAsync(
        NpgsqlDataSource source, CancellationToken cancellationToken) =>
        Detached.Run(() => source.OpenConnectionAsync(cancellationToken).AsTask());
}
