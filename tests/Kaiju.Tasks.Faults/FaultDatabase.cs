using System.Data.Common;
using Kaiju.Tasks.PostgreSql;
using Kaiju.Tasks.Sqlite;
using Kaiju.Tasks.TestServers;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Kaiju.Tasks.Faults;

/// <summary>The database that all processes share, with its own log of every change of state.</summary>
internal abstract class FaultDatabase : IAsyncDisposable
{
    /// <summary>The arguments with which a worker connects.</summary>
    public abstract string ConnectionString { get; }

    public virtual PostgresServer? Server => null;

    /// <summary>The same through a proxy on a port of this machine.</summary>
    public virtual string ConnectionStringThrough(int port) =>
        throw new NotSupportedException("SQLite has no server that a proxy could reach.");

    public abstract Task PrepareAsync();

    /// <summary>Makes sessions read-only, or writable again: new sessions, or all sessions of the server.</summary>
    public virtual Task SetReadOnlyAsync(bool isReadOnly, bool isOfServer) =>
        throw new NotSupportedException("The file has no such setting.");

    /// <summary>Ends the sessions of the workers.</summary>
    public virtual Task EndSessionsAsync() => throw new NotSupportedException("The file has no sessions.");

    /// <summary>Makes the database unavailable for a time.</summary>
    /// <param name="time">The length of the outage.</param>
    /// <param name="isGone">True: the server is killed and loses its memory. False: it freezes.</param>
    /// <returns>True if the newest claims may be lost.</returns>
    public abstract Task<bool> MakeUnavailableAsync(TimeSpan time, bool isGone);

    public abstract ValueTask DisposeAsync();

    public static async Task<FaultDatabase> CreateAsync(string store)
    {
        FaultDatabase database = store == "sqlite" ? new SqliteDatabase() : await PostgresDatabase.StartAsync();
        await database.PrepareAsync();
        return database;
    }

    public async Task<List<T>> QueryAsync<T>(string sql, Func<DbDataReader, T> read)
    {
        await using var connection = Open();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = Named(sql);
        command.CommandTimeout = 60;
        await using var rows = await command.ExecuteReaderAsync();
        var list = new List<T>();
        while (await rows.ReadAsync())
        {
            list.Add(read(rows));
        }

        return list;
    }

    public async Task<long> CountAsync(string sql) => (await QueryAsync(sql, row => row.GetInt64(0)))[0];

    /// <summary>An open connection for a transaction of another client.</summary>
    public async Task<DbConnection> ConnectAsync()
    {
        var connection = Open();
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Replaces [name] by the name of the table.</summary>
    public abstract string Named(string sql);

    protected abstract DbConnection Open();

    protected async Task ExecuteAsync(string sql)
    {
        await using var connection = Open();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = Named(sql);
        await command.ExecuteNonQueryAsync();
    }

    private sealed class SqliteDatabase : FaultDatabase
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("kaiju-faults-").FullName;

        public override string ConnectionString => $"Data Source={Path.Combine(_folder, "tasks.db")}";

        public override async Task PrepareAsync()
        {
            await SqliteSchema.MigrateAsync(new SqliteTasksOptions { ConnectionString = ConnectionString });
            const string Columns =
                "task_no, old_state, new_state, old_stage, new_stage, old_claim, recorded, report_claim, run_no, "
                    + "pass, occurrence, interrupted, old_executor, method, hold";
            await ExecuteAsync(
                $"""
                create table fault_log (
                    seq integer primary key autoincrement, task_no integer, old_state integer, new_state integer,
                        old_stage integer, new_stage integer,
                    old_claim text, recorded integer, report_claim text, run_no integer, pass integer,
                        occurrence integer, interrupted integer, old_executor text, method text, hold integer);
                create trigger log_insert after insert on [states] begin
                    insert into fault_log ({Columns}) values (new.task_no, null, new.state, null, new.stage, null, 0,
                        null, new.run_no, new.pass, new.occurrence, 0, null, new.method, new.hold);
                end;
                create trigger log_update after update on [states]
                when old.state <> new.state or old.stage <> new.stage or old.claim is not new.claim
                    or old.results <> new.results or old.hold <> new.hold begin
                    insert into fault_log ({Columns}) values (new.task_no, old.state, new.state, old.stage, new.stage,
                        old.claim, new.results > old.results,
                        new.report_claim, new.run_no, new.pass, new.occurrence, new.interruptions > old.interruptions,
                        old.executor_id, new.method, new.hold);
                end;
                """);
        }

        /// <summary>
        /// Another process holds the file's write lock, for example one that is frozen in its transaction.
        /// </summary>
        public override async Task<bool> MakeUnavailableAsync(TimeSpan time, bool isGone)
        {
            await using var connection = (SqliteConnection)Open();
            await connection.OpenAsync();
            await using var transaction = connection.BeginTransaction(deferred: false);
            await Task.Delay(time, TimeProvider.System);
            return false;
        }

        public override ValueTask DisposeAsync()
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(_folder, recursive: true);
            return default;
        }

        protected override DbConnection Open() =>
            new SqliteConnection($"{ConnectionString};Default Timeout=60;Pooling=False");

        public override string Named(string sql) =>
            sql.Replace("[", "kaiju_", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
    }

    private sealed class PostgresDatabase(PostgresServer server, string database) : FaultDatabase
    {
        private static readonly Lazy<Task<PostgresServer>> _server = new(() => PostgresServer.StartAsync());

        public override string ConnectionString =>
            server.ConnectionString(database, "Application Name=Kaiju.Tasks;Timeout=5");

        public override PostgresServer Server => server;

        // A silent connection is abandoned after some seconds instead of half a minute.
        public override string ConnectionStringThrough(int port) =>
            new NpgsqlConnectionStringBuilder(ConnectionString)
            {
                Host = "127.0.0.1",
                Port = port,
                CommandTimeout = 3,
                CancellationTimeout = 500,
            }.ToString();

        public static async Task<PostgresDatabase> StartAsync()
        {
            var server = await _server.Value;
            return new PostgresDatabase(server, await server.CreateDatabaseAsync("faults"));
        }

        public override async Task PrepareAsync()
        {
            await using (var dataSource = NpgsqlDataSource.Create(server.ConnectionString(database)))
            {
                await PostgreSqlSchema.MigrateAsync(dataSource);
            }

            await ExecuteAsync(
                """
                create table fault_log (
                    seq bigint generated always as identity primary key, task_no bigint, old_state int, new_state int,
                        old_stage int, new_stage int,
                    old_claim uuid, recorded boolean, report_claim uuid, run_no int, pass int, occurrence bigint,
                        interrupted boolean, old_executor text, method text, hold int);
                create function log_change() returns trigger language plpgsql as $$
                begin
                    if tg_op = 'INSERT' then
                        insert into public.fault_log (task_no, new_state, new_stage, recorded, run_no, pass,
                            occurrence, interrupted, method, hold)
                        values (new.task_no, new.state, new.stage, false, new.run_no, new.pass, new.occurrence, false,
                            new.method, new.hold);
                    elsif old.state <> new.state or old.stage <> new.stage or old.claim is distinct
                        from new.claim or old.results <> new.results or old.hold <> new.hold then
                        insert into public.fault_log (task_no, old_state, new_state, old_stage, new_stage, old_claim,
                            recorded, report_claim, run_no, pass, occurrence, interrupted, old_executor, method,
                            hold)
                        values (new.task_no, old.state, new.state, old.stage, new.stage, old.claim,
                            new.results > old.results, new.report_claim, new.run_no, new.pass,
                            new.occurrence, new.interruptions > old.interruptions, old.executor_id, new.method,
                            new.hold);
                    end if;
                    return null;
                end $$;
                create trigger log_change after insert or update on [states] for each row execute function log_change();
                """);
        }

        public override async Task SetReadOnlyAsync(bool isReadOnly, bool isOfServer)
        {
            var what = isOfServer ? "system" : $"database \"{database}\"";
            await AsOperatorAsync(
                $"alter {what} "
            + (isReadOnly ? "set default_transaction_read_only = on" : "reset default_transaction_read_only"));
            if (isOfServer)
            {
                await AsOperatorAsync("select pg_reload_conf()");
            }
        }

        public override Task EndSessionsAsync() =>
            AsOperatorAsync(
                $"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{database}' and "
                    + $"application_name = 'Kaiju.Tasks'");

        public override async Task<bool> MakeUnavailableAsync(TimeSpan time, bool isGone)
        {
            if (isGone)
            {
                server.Kill();
                await Task.Delay(time, TimeProvider.System);
                server.Launch();
                await server.IsUpAsync(TimeSpan.FromSeconds(30));
                return true;
            }

            server.Freeze();
            await Task.Delay(time, TimeProvider.System);
            server.Thaw();
            return false;
        }

        public override ValueTask DisposeAsync() => default;

        /// <summary>Executes one statement on a session that may write under any setting.</summary>
        private async Task AsOperatorAsync(string sql)
        {
            await using var connection = new NpgsqlConnection(
                server.ConnectionString("postgres", "Pooling=false;Options=-c default_transaction_read_only=off"));
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }

        protected override DbConnection Open() =>
            new NpgsqlConnection(server.ConnectionString(database, "Maximum Pool Size=10;Timeout=5"));

        public override string Named(string sql) =>
            sql.Replace("[", "kaiju_tasks.", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
    }
}
