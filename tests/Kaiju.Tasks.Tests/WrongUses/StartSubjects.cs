using System.Text.Json;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>Registrations of the tests: types that cannot be bound or constructed, and similar ones that can.</summary>
internal static class StartSubjects
{
    internal interface INotThere;

    internal interface ISms;

    internal sealed class AnotherStore(ITaskStore inner) : DecoratedStore(inner);

    internal abstract class Base
    {
        [Command("base")]
        public void Do() => ToString();
    }

    internal sealed class Derived : Base;

    internal abstract class AbstractStatic
    {
        [Command("static")]
        public static int Do() => 1;
    }

    internal sealed class NeedsMissing(INotThere missing)
    {
        [Command("missing")]
        public string? Do() => missing.ToString();
    }

    internal sealed class NeedsNeeds(NeedsMissing missing)
    {
        public override string? ToString() => missing.ToString();
    }

    internal sealed class NeedsKey([FromKeyedServices("eu")] ISms sms)
    {
        public override string? ToString() => sms.ToString();
    }

    internal sealed class Ring(Ring ring)
    {
        public override string? ToString() => ring.ToString();
    }

    internal sealed class Defaults(INotThere? missing = null)
    {
        public override string? ToString() => missing?.ToString();
    }

    internal sealed class Sms : ISms;

    internal sealed class TwoConstructors
    {
        public TwoConstructors()
        {
        }

        public TwoConstructors(INotThere missing) => missing.ToString();

        [Command("two")]
        public string? Do() => ToString();
    }

    internal sealed class Closed
    {
        private Closed()
        {
        }

        [Command("closed")]
        public string? Do() => ToString();
    }

    internal sealed class Generic
    {
        [Command("generic")]
        public string? Do<T>(T value) => $"{this}{value}";
    }

    internal sealed class Overloaded
    {
        [Command("over")]
        public static int Do(int id) => id;

        [Command("over")]
        public static int Do(string name, int[] ids) => name.Length + ids.Length;
    }

    internal sealed class Unseen
    {
        [Command("unseen")]
        public static async void Do() => await Task.Yield();
    }

    internal sealed class BlankName
    {
        [Command(" ")]
        public static int Do() => 1;
    }

    internal sealed record Point(int X, int Y);

    internal sealed class OnlyGets(int id)
    {
        public int Id { get; } = id;
    }

    [System.Text.Json.Serialization.JsonDerivedType(typeof(Circle), "circle")]
    internal abstract record Shape;

    internal sealed record Circle : Shape;

    [System.Text.Json.Serialization.JsonConverter(typeof(Converter))]
    internal interface IConverted;

    internal sealed class Converter : System.Text.Json.Serialization.JsonConverter<IConverted>
    {
        public override IConverted? Read(
            ref Utf8JsonReader reader,
            Type typeToConvert,
            JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, IConverted value, JsonSerializerOptions options) =>
            throw new NotSupportedException();
    }

    internal sealed class BadMiddleware(INotThere missing) : IStageMiddleware
    {
        public ValueTask<StageOutcome> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken) =>
            throw new InvalidOperationException(missing.ToString());
    }

    internal sealed class BadSink(INotThere missing) : INotificationSink
    {
        public ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken) =>
            throw new InvalidOperationException(missing.ToString());
    }

    internal class Special(string method) : SpecialCommand
    {
        public override string Method => method;

        public override ValueTask<StageOutcome> RunAsync(
            SpecialCommandContext context,
            CancellationToken cancellationToken) => ValueTask.FromResult(StageOutcome.Completed());
    }

    internal sealed class OtherSpecial(string method) : Special(method);
}
