using System.Transactions;
using Kaiju.Tasks.Relational;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql;

/// <summary>
/// Opens the store's connections. They stand apart from a transaction that surrounds the caller (<see
/// cref="TransactionScope"/>): the driver would take them into it, and a batch belongs to many callers.
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

    /// <summary>A scope that was completed and not yet left refuses the question, and the driver's as well.</summary>
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
    /// On another thread and without the caller's context, where a scope of either kind ends. A scope of our own that
    /// suppresses the other one would have to be left on the thread that it was entered on.
    /// </summary>
    private static Task<NpgsqlConnection> OpenApartAsync(
        NpgsqlDataSource source, CancellationToken cancellationToken) =>
        Detached.Run(() => source.OpenConnectionAsync(cancellationToken).AsTask());
}
