using System.Text;

namespace Kaiju.Tasks.Tests;

public sealed class TaskErrorTests
{
    [Theory]
    [InlineData(100, 100)]
    [InlineData(100_000, 100)]
    [InlineData(100, 100_000)]
    [InlineData(100_000, 100_000)]
    public void An_error_is_never_longer_than_its_bound(int message, int details)
    {
        var error = TaskError.Create(
            TaskErrorKind.Handler, new string('m', message), "System.Exception", new string('d', details), 1024);

        Encoding.UTF8.GetByteCount(error.Json.GetRawText()).Should().BeLessThanOrEqualTo(1024);
        error.Kind.Should().Be(TaskErrorKind.Handler);
        error.Message.Should().StartWith("mmm");
    }

    [Theory]
    [InlineData(10, 100_000, 10)]
    [InlineData(900, 10_000, 10_000)]
    [InlineData(900, 0, 1)]
    public void Data_is_kept_whole_and_the_rest_makes_room_for_it(int data, int message, int details)
    {
        var json = Json.Of($"\"{new string('x', data)}\"");

        var error = TaskError.Create("k", new string('m', message), "T", new string('d', details), 1024, json);

        Encoding.UTF8.GetByteCount(error.Json.GetRawText()).Should().BeLessThanOrEqualTo(1024);
        error.Data.GetRawText().Should().Be(json.GetRawText());
        TaskError.FromJson(error.Json).Data.GetRawText().Should().Be(json.GetRawText());
    }

    [Fact]
    public void Data_that_fits_into_no_error_is_left_out()
    {
        var error = TaskError.Create("k", "boom", maxBytes: 512, data: Json.Of($"\"{new string('x', 512)}\""));

        (error.Data.ValueKind, error.Message).Should().Be((System.Text.Json.JsonValueKind.Undefined, "boom"));
        error.Json.GetRawText().Should().Be("""{"kind":"k","message":"boom"}""");
    }

    [Fact]
    public void An_error_of_undefined_json_is_refused()
    {
        FluentActions.Invoking(() => TaskError.FromJson(default)).Should().Throw<ArgumentException>()
            .WithMessage("json is an undefined JsonElement; it must be a JSON value. (Parameter 'json')");
    }

    [Fact]
    public void Text_that_grows_when_it_is_written_is_bounded_as_it_is_written()
    {
        var error = TaskError.Create(TaskErrorKind.Handler, new string('\u0001', 8000), "T", new string('"', 8000));

        Encoding.UTF8.GetByteCount(error.Json.GetRawText()).Should().BeLessThanOrEqualTo(8 * 1024);
    }

    [Fact]
    public void Text_that_cannot_be_stored_is_replaced_so_that_a_failure_can_always_be_written()
    {
        var error = TaskError.Create(TaskErrorKind.Handler, "a\0b\ud800c\ud83d\ude80");

        error.Message.Should().Be("a\ufffdb\ufffdc\ud83d\ude80");
    }

    [Fact]
    public void A_cut_does_not_go_through_a_character()
    {
        var error = TaskError.Create(
            TaskErrorKind.Handler, string.Concat(Enumerable.Repeat("\ud83d\ude80", 5000)), maxBytes: 2001);

        error.Message.Should().NotContain("\ufffd");
        char.IsHighSurrogate(error.Message[^1]).Should().BeFalse();
    }

    [Theory]
    [InlineData("""{"code": 1, "message": "boom"}""", "boom")]
    [InlineData("\"just text\"", "just text")]
    [InlineData("""{"code": 1}""", """{"code": 1}""")]
    public void An_error_of_any_shape_is_kept_as_it_is(string json, string message)
    {
        var error = TaskError.FromJson(Json.Of(json));

        error.Kind.Should().Be(TaskErrorKind.Other);
        error.Message.Should().Be(message);
        error.Json.GetRawText().Should().Be(json);
    }
}
