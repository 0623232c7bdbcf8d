using System.Collections.Concurrent;
using Kaiju.Tasks.Queueing;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.TestServers;
using Npgsql;

namespace Kaiju.Tasks.PostgreSql.Tests;

/// <summary>
/// The answer of a commit is lost, before or after the server has executed it: no member applies its step twice or
/// answers wrongly.
/// </summary>
public sealed class CutTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);

    /// <summary>The effect of each member when its commit is undisturbed.</summary>
    private static readonly ConcurrentDictionary<string, Lazy<Task<(
        string Answer, string Stored, StoreHintKinds Heard)>>> _expected = new();

    /// <summary>
    /// Members that write nothing, members with the caller's own commit, and one that its caller verifies afterwards.
    /// </summary>
    private static readonly string[] _others =
    [
        "GetAsync",
        "GetRunAsync",
        "ListRunsAsync",
        "ListPausesAsync",
        "GetStagesAsync",
        "ListAsync",
        "CountAsync",
        "ListNotificationsAsync",
        "ListUndeliveredAsync",
        "GetTimeToNextDutyAsync",
        "FindUnattendedAsync",
        "FindEndedRunsAsync",
        "ListExecutorsAsync",
        "FindLostClaimsAsync",
        "FindStrayClaimsAsync",
        "Listen",
        "PublishAsync",
        "WaitAsync",
        "ClaimAsync",
    ];

    public static TheoryData<string, CutMoment> Members()
    {
        var members = new TheoryData<string, CutMoment>();
        foreach (var name in CutMembers.All.Keys)
        {
            members.Add(name, CutMoment.Before);
            members.Add(name, CutMoment.After);
        }

        return members;
    }

    [Fact]
    public void Every_member_of_the_ports_is_cut_off() =>
        typeof(ITaskStore).GetInterfaces().Append(typeof(ITransactionalCreation)).Append(typeof(ITaskQueue))
            .SelectMany(port => port.GetMethods()).Where(member => !member.IsSpecialName).Select(member => member.Name)
            .Should().BeSubsetOf([.. CutMembers.All.Keys.Select(name => name.Split(',')[0]), .. _others]);

    [Theory]
    [MemberData(nameof(Members))]
    public async Task A_commit_that_is_cut_off_changes_neither_the_answer_nor_what_is_stored(
        string name, CutMoment moment)
    {
        var member = CutMembers.All[name];
        var (answer, stored, heard) = await _expected.GetOrAdd(
            name, _ => new Lazy<Task<(string, string, StoreHintKinds)>>(() => WithoutCutAsync(member))).Value;
        await using var rig = await CutRig.StartAsync();
        await member.Arrange(rig);
        rig.CutNext(moment);
        var afterCut = await member.Act(rig).WaitAsync(_bound);

        rig.Proxy.Harms.Should().Be(1);
        afterCut.Should().Be(answer);
        (await rig.DumpAsync()).Should().Be(stored);
        rig.Heard.Should().HaveFlag(heard, "hints are sent although the answer is lost");
    }

    /// <summary>
    /// A claim of the queue is one statement. Its caller gets the fault, and asks the store to release the claims that
    /// it does not know.
    /// </summary>
    [Theory]
    [InlineData(CutMoment.Before, 0)]
    [InlineData(CutMoment.After, 2)]
    public async Task Tasks_of_a_claim_whose_answer_is_lost_are_released(CutMoment moment, int taken)
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"), CutMembers.Define("b"));
        rig.CutNext(moment);

        await FluentActions.Awaiting(
            () => rig.Queue.ClaimAsync(
                new ClaimRequest { Executor = CutRig.Executor, MaxTasks = 10, MaxBytes = long.MaxValue }, default)
                .AsTask()
                .WaitAsync(_bound))
            .Should().ThrowAsync<NpgsqlException>();

        (await rig.Store.GiveBackStrayClaimsAsync(CutRig.Executor.Id, [], default)).Should().HaveCount(taken);
        (await rig.Store.QueueDueAsync(10, default)).Should().HaveCount(taken);
        (await rig.Queue.ClaimAsync(
            new ClaimRequest { Executor = CutRig.Executor, MaxTasks = 10, MaxBytes = long.MaxValue },
            default)).Should().HaveCount(2);
    }

    /// <summary>
    /// The caller owns the commit and its fault; the created task is committed with everything else of the transaction
    /// or not at all.
    /// </summary>
    [Theory]
    [InlineData(CutMoment.Before, 0)]
    [InlineData(CutMoment.After, 1)]
    public async Task A_task_in_the_callers_transaction_shares_its_fate(CutMoment moment, long there)
    {
        await using var rig = await CutRig.StartAsync();
        await using var dataSource = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(rig.DataSource.ConnectionString)
            {
                Host = "127.0.0.1",
                Port = rig.Proxy.Port,
            }.ToString());
        await using var connection = await dataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        (await rig.Store.CreateAsync(
            [CutMembers.Define("a")],
            OnConflict.Fail,
            transaction,
            default))[0].Result.Should().Be(CreateResult.Created);
        rig.CutNext(moment);

        await FluentActions.Awaiting(() => transaction.CommitAsync().WaitAsync(_bound)).Should()
            .ThrowAsync<NpgsqlException>();

        (await rig.AskAsync<long>("select count(*) from [tasks]")).Should().Be(there);
        (await rig.AskAsync<long>("select count(*) from [states]")).Should().Be(there);
    }

    /// <summary>
    /// Fails every try; then the caller gets an exception which states that the step may have happened.
    /// </summary>
    [Fact]
    public async Task A_step_that_never_gets_an_answer_says_that_it_may_have_happened()
    {
        await using var rig = await CutRig.StartAsync();
        await CutMembers.AddAsync(rig, CutMembers.Define("a"));
        var cut = new CommitHarm(CutMoment.Before, CutKind.Close);
        rig.Proxy.Choose(_ => cut);

        var fault = await FluentActions.Awaiting(() => rig.Store.CancelAsync("a", default).AsTask().WaitAsync(_bound))
            .Should().ThrowAsync<TaskOutcomeUnknownException>();

        fault.Which.Message.Should().Contain("may have happened");
        fault.Which.InnerException.Should().BeAssignableTo<NpgsqlException>();
    }

    private static async Task<(string Answer, string Stored, StoreHintKinds Heard)> WithoutCutAsync(CutMember member)
    {
        await using var rig = await CutRig.StartAsync();
        await member.Arrange(rig);
        var answer = await member.Act(rig);
        return (answer, await rig.DumpAsync(), rig.Heard);
    }
}
