namespace Kaiju.Tasks.Contracts.Model;

/// <summary>
/// One sequence, run on a store and on the model side by side. Each step asks the store, does the same to the model,
/// learns the ids that the store created, and compares the answers. Then everything visible is compared.
/// </summary>
internal sealed class ModelRun
{
    private readonly OpenedStore _opened;
    private readonly StoreModel _model;
    private readonly ModelViews _views;
    private readonly ModelClients _clients;
    private readonly ModelExecutors _executors;
    private readonly ModelManagers _managers;
    private readonly ModelSteering _steering;

    public ModelRun(OpenedStore opened, StoreModel model, Action<string>? trace)
    {
        var claims = new ModelClaims(model);
        (_opened, _model) = (opened, model);
        _views = new ModelViews(opened, model);
        _clients = new ModelClients(opened, model, claims, trace);
        _steering = new ModelSteering(opened, model, trace);
        _executors = new ModelExecutors(opened, model, claims, _steering, trace);
        _managers = new ModelManagers(opened, model, claims, _views, _steering, trace);
    }

    public async Task StepAsync(ModelStep step)
    {
        switch (step)
        {
            case CreateStep create:
                await _clients.CreateAsync(create);
                break;
            case ImportStep import:
                await _clients.ImportAsync(import);
                break;
            case OutsideStep outside:
                await _clients.OutsideAsync(outside.Verb, ModelDefinitions.Ids[outside.Id]);
                break;
            case SeriesStep series:
                foreach (var verb in series.Verbs)
                {
                    await StepAsync(new OutsideStep(verb, series.Id));
                }

                break;
            case RetryStep retry:
                if (retry.CancelsFirst)
                {
                    await StepAsync(new OutsideStep(OutsideVerb.Cancel, retry.Id));
                }

                if (retry.RestartsFirst)
                {
                    await StepAsync(new ManagerStep(ManagerVerb.RestartPeriodic, 100));
                }

                await _clients.RetryAsync(ModelDefinitions.Ids[retry.Id], RetryStep.Changes[retry.Change]);
                break;
            case BulkStep bulk:
                await _clients.ChangeManyAsync(bulk);
                break;
            case UpsertStep upsert:
                await _clients.UpsertAsync(upsert);
                break;
            case UpdateStep update:
                await _clients.UpdateAsync(update);
                break;
            case DeleteEndedStep delete:
                await _clients.DeleteEndedAsync(delete);
                break;
            case AdvanceStep advance:
                var expected = _model.Now + advance.By;
                _model.Now = await _opened.Advance(advance.By);
                Difference.Check("the store's time", expected, _model.Now);
                break;
            case PutBackStep back when _opened.PutBack is { } putBack:
                expected = _model.Now - back.By;
                _model.Now = await putBack(back.By);
                Difference.Check("the store's time", expected, _model.Now);
                break;
            case PutBackStep:
                break;
            case ClaimNextStep claim:
                await _executors.ClaimNextAsync(claim);
                break;
            case ClaimByIdStep claim:
                await _executors.ClaimByIdAsync(claim);
                break;
            case MissStep miss:
                await _executors.MissAsync(miss);
                break;
            case PauseStep pause:
                await _steering.PauseAsync(pause);
                break;
            case ResumeStep resume:
                await _steering.ResumeAsync(resume);
                break;
            case RepairStep repair:
                await _steering.RepairAsync(repair);
                break;
            case ReportStep report:
                await _executors.ReportAsync(report);
                break;
            case ManagerStep manager:
                await _managers.ManageAsync(manager.Verb, manager.Limit);
                break;
            case TickStep:
                await _managers.TickAsync();
                break;
            case DriveStep drive:
                await _managers.TickAsync();
                await _managers.ExecutorAsync(new ExecutorStep(ExecutorVerb.Heartbeat, 1, 0, 0));
                await _executors.ClaimNextAsync(new ClaimNextStep(1, 10, 1_000_000));
                var every = Enumerable.Range(0, ModelDefinitions.Ids.Count).Select(
                    nth => new ReportSpec(nth, ReportBy.Holder, drive.Outcome, TimeSpan.Zero));
                await _executors.ReportAsync(new ReportStep([.. every]));
                break;
            case ExecutorStep executor:
                await _managers.ExecutorAsync(executor);
                break;
            case ListStep list:
                await _views.ListAsync(list);
                break;
            case MarkStep mark:
                await _views.MarkAsync(mark);
                break;
            case NotificationsStep notifications:
                await _views.ListNotificationsAsync(notifications);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(step), step, null);
        }

        await _views.CheckAllAsync();
    }
}
