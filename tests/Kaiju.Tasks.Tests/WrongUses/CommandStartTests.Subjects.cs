using System.Text.Json;
using Kaiju.Tasks.Storage;
using Kaiju.Tasks.Storage.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <content>What is registered in the tests: types that cannot be bound or made, and their like that can.</content>
public sealed partial class CommandStartTests
{
    private sealed class AnotherStore(ITaskStore inner) : DecoratedStore(inner);

    private abstract class Base
    {
        [Command("base")]
        public void Do() => ToString();
    }

    private sealed class Derived : Base;

    private abstract class AbstractStatic
    {
        [Command("static")]
        public static int Do() => 1;
    }

    private sealed class NeedsMissing(INotThere missing)
    {
        [Command("missing")]
        public string? Do() => missing.ToString();
    }

    private sealed class NeedsNeeds(NeedsMissing missing)
    {
        public override string? ToString() => missing.ToString();
    }

    private sealed class NeedsKey([FromKeyedServices("eu")] ISms sms)
    {
        public override string? ToString() => sms.ToString();
    }

    private sealed class Ring(Ring ring)
    {
        public override string? ToString() => ring.ToString();
    }

    private sealed class Defaults(INotThere? missing = null)
    {
        public override string? ToString() => missing?.ToString();
    }

    private sealed class Sms : ISms;

    private sealed class TwoConstructors
    {
        public TwoConstructors()
        {
        }

        public TwoConstructors(INotThere missing) => missing.ToString();

        [Command("two")]
        public string? Do() => ToString();
    }

    private sealed class Closed
    {
        private Closed()
        {
        }

        [Command("closed")]
        public string? Do() => ToString();
    }

    private sealed class Generic
    {
        [Command("generic")]
        public string? Do<T>(T value) => $"{this}{value}";
    }

    private sealed class Overloaded
    {
        [Command("over")]
        public static int Do(int id) => id;

        [Command("over")]
        public static int Do(string name, int[] ids) => name.Length + ids.Length;
    }

    private sealed class Unseen
    {
        [Command("unseen")]
        public static async void Do() => await Task.Yield();
    }

    private sealed class BlankName
    {
        [Command(" ")]
        public static int Do() => 1;
    }

    private sealed record Point(int X, int Y);

    private sealed class OnlyGets(int id)
    {
        public int Id { get; } = id;
    }

    [System.Text.Json.Serialization.JsonDerivedType(typeof(Circle), "circle")]
    private abstract record Shape;

    private sealed record Circle : Shape;

    [System.Text.Json.Serialization.JsonConverter(typeof(Converter))]
    private interface IConverted;

    private sealed class Converter : System.Text.Json.Serialization.JsonConverter<IConverted>
    {
        public override IConverted? Read(
            ref Utf8JsonReader reader,
            Type typeToConvert,
            JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, IConverted value, JsonSerializerOptions options) =>
            throw new NotSupportedException();
    }

    private sealed class BadMiddleware(INotThere missing) : IStageMiddleware
    {
        public ValueTask<JsonElement> InvokeAsync(
            StageContext context, JsonElement parameters, StageDelegate next, CancellationToken cancellationToken) =>
            throw new InvalidOperationException(missing.ToString());
    }

    private sealed class BadSink(INotThere missing) : INotificationSink
    {
        public ValueTask DeliverAsync(TaskNotification notification, CancellationToken cancellationToken) =>
            throw new InvalidOperationException(missing.ToString());
    }

    private class Special(string method) : SpecialCommand
    {
        public override string Method => method;

        public override ValueTask<StageOutcome> RunAsync(
            SpecialCommandContext context,
            CancellationToken cancellationToken) => ValueTask.FromResult(StageOutcome.Completed());
    }

    private sealed class OtherSpecial(string method) : Special(method);
}
