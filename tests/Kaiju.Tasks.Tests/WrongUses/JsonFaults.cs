using System.Collections;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using static Kaiju.Tasks.Tests.WrongUses.JsonSubjects;

namespace Kaiju.Tasks.Tests.WrongUses;

/// <summary>The refused values and their messages.</summary>
public static class JsonFaults
{
    private static string NotReadBack =>
        "which cannot be written as JSON: the serializer could not read it back; use text or another type, or add "
        + "a converter to SerializerOptions.";

    /// <summary>
    /// Wrong use, value, the message behind its place for the caller, and that of stored errors if it differs.
    /// </summary>
    public static TheoryData<string, Func<object>, string, string?> Values => new()
    {
        {
            "dictionary throws", () => new { map = (IDictionary)new ThrowingDictionary() },
            ".map cannot be read, as the dictionary threw System.DivideByZeroException: getter.",
            ".map cannot be read, as the dictionary threw System.DivideByZeroException."
        },
        {
            "exception without a message", () => new { a = new Silent() },
            ".a.name cannot be read, as its getter threw Kaiju.Tasks.Tests.WrongUses.JsonSubjects+SilentException: .",
            ".a.name cannot be read, as its getter threw Kaiju.Tasks.Tests.WrongUses.JsonSubjects+SilentException."
        },
        {
            "NaN", () => new { a = new { b = double.NaN } },
            ".a.b is NaN, which JSON cannot hold; give a finite number, null or text.",
            null
        },
        {
            "infinity", () => new { list = new[] { 1, double.NegativeInfinity } },
            ".list[1] is -Infinity, which JSON cannot hold; give a finite number, null or text.",
            null
        },
        {
            "float NaN", () => new { a = float.NaN },
            ".a is NaN, which JSON cannot hold; give a finite number, null or text.",
            null
        },
        {
            "Half NaN", () => new { a = Half.NaN },
            ".a is NaN, which JSON cannot hold; give a finite number, null or text.",
            null
        },
        {
            "NaN in a dictionary", () => new Dictionary<string, object> { ["a.b"] = double.NaN },
            "[\"a.b\"] is NaN, which JSON cannot hold; give a finite number, null or text.",
            null
        },
        {
            "getter throws", () => new { ok = 1, inner = new Throws() },
            ".inner.name cannot be read, as its getter threw System.DivideByZeroException: getter.",
            ".inner.name cannot be read, as its getter threw System.DivideByZeroException."
        },
        {
            "list throws", () => new { items = Enumerable.Range(0, 3).Select(i => 1 / (2 - i)) },
            ".items[2] cannot be read, as the list threw System.DivideByZeroException: Attempted to divide by zero.",
            ".items[2] cannot be read, as the list threw System.DivideByZeroException."
        },
        {
            "circular object",
            Circle,
            ".next refers back to an object that holds it, and JSON cannot hold a cycle.",
            null
        },
        { "too deep", () => new { a = Deep(100) }, " is nested deeper than 64 levels.", null },
        {
            "delegate", () => new { f = (Action)(() => { }) },
            ".f is an Action, which cannot be written as JSON: Serialization and deserialization of "
            + "'System.Action' instances is not supported.",
            ".f is an Action, which cannot be written as JSON: System.NotSupportedException."
        },
        {
            "Type", () => new { t = typeof(int) },
            ".t is a RuntimeType, which cannot be written as JSON: Serialization and deserialization of "
            + "'System.Type' instances is not supported.",
            ".t is a RuntimeType, which cannot be written as JSON: System.NotSupportedException."
        },
        {
            "stream", () => new { s = (Stream)new MemoryStream() },
            ".s.readTimeout cannot be read, as its getter threw System.InvalidOperationException: Timeouts are not "
            + "supported on this stream.",
            ".s.readTimeout cannot be read, as its getter threw System.InvalidOperationException."
        },
        {
            "names that collide", () => new { a = new Collides() },
            ".a is a Collides, which cannot be written as JSON: "
            + "The JSON property name for 'Kaiju.Tasks.Tests.WrongUses.JsonSubjects+Collides.id' collides with "
            + "another property.",
            ".a is a Collides, which cannot be written as JSON: System.InvalidOperationException."
        },
        {
            "undefined JsonElement", () => new { a = new object[] { default(JsonElement) } },
            ".a[0] is an undefined JsonElement; give a JSON value, which may be null.",
            null
        },
        {
            "converter throws", () => new Converted(new Uri("urn:s3cret")),
            " is a Converted, which cannot be written as JSON: bad: urn:s3cret.",
            " is a Converted, which cannot be written as JSON: System.FormatException."
        },
        {
            "half a character in text", () => new { a = $"{Secret}\ud800" },
            ".a is \"s3cret\ufffd\", which contains a lone surrogate and cannot be stored.",
            ".a is a text of 7 characters, which contains a lone surrogate and cannot be stored."
        },
        {
            "half a character", () => new { a = '\ud800' },
            ".a is half a character, a lone surrogate, which cannot be stored.",
            null
        },
        {
            "half a character in a name", () => new JsonObject { ["\ud800"] = 1 },
            " is a JsonObject, which cannot be written as JSON: There is text with a lone surrogate, which cannot "
            + "be stored.",
            " is a JsonObject, which cannot be written as JSON: System.Text.Json.JsonException."
        },
        {
            "U+0000 in text", () => new { a = new[] { "ok", $"{Secret}\0" } },
            ".a[1] is \"s3cret\\u0000\", which contains U+0000 and cannot be stored.",
            ".a[1] is a text of 7 characters, which contains U+0000 and cannot be stored."
        },
        {
            "U+0000 in a name", () => new { a = new Dictionary<string, int> { ["\0"] = 1 } },
            ".a has the key \"\ufffd\", which contains U+0000 and cannot be stored.",
            null
        },
        {
            "value tuple", () => new { pair = (1, "a") },
            ".pair is a ValueTuple<Int32, String>, which cannot be written as JSON: it has only fields, which the "
            + "serializer leaves out; use a record or an array, or set IncludeFields in SerializerOptions.",
            null
        },
        {
            "value tuple as object in a list", () => new object[] { 1, (1, 2) },
            "[1] is a ValueTuple<Int32, Int32>, which cannot be written as JSON: it has only fields, which the "
            + "serializer leaves out; use a record or an array, or set IncludeFields in SerializerOptions.",
            null
        },
        {
            "struct of fields", () => new { at = (Point?)new Point { X = 1 } },
            ".at is a Point, which cannot be written as JSON: it has only fields, which the serializer leaves out; "
            + "use a record or an array, or set IncludeFields in SerializerOptions.",
            null
        },
        {
            "vector", () => new { at = new Vector2(1, 2) },
            ".at is a Vector2, which cannot be written as JSON: it has only fields, which the serializer leaves out; "
            + "use a record or an array, or set IncludeFields in SerializerOptions.",
            null
        },
        { "BigInteger", () => new { n = BigInteger.One }, $".n is a BigInteger, {NotReadBack}", null },
        { "Complex", () => new { n = Complex.One }, $".n is a Complex, {NotReadBack}", null },
        { "Range and what it is made of", () => new { r = 1..2 }, $".r is a Range, {NotReadBack}", null },
        { "Index", () => new { r = ^1 }, $".r is an Index, {NotReadBack}", null },
        { "Rune", () => new { r = new Rune('a') }, $".r is a Rune, {NotReadBack}", null },
        { "StringBuilder", () => new { s = new StringBuilder("a") }, $".s is a StringBuilder, {NotReadBack}", null },
        {
            "IntPtr", () => new { p = (nint)1 },
            ".p is an IntPtr, which cannot be written as JSON: Serialization and deserialization of "
            + "'System.IntPtr' instances is not supported.",
            ".p is an IntPtr, which cannot be written as JSON: System.NotSupportedException."
        },
    };
}
