using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Json;

namespace Kaiju.Tasks.Commands;

/// <summary>A handler's parameter that is read from the command's params.</summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal sealed class JsonParameter
{
    private readonly string _name;
    private readonly string[] _memberNames;
    private readonly string _place;
    private readonly Type _type;
    private readonly bool _allowsNull;
    private readonly bool _hasDefault;
    private readonly object? _default;
    private readonly bool _ignoresCase;
    private readonly JsonTypeInfo? _typeInfo;

    public JsonParameter(ParameterInfo parameter, JsonSerializerOptions serializing)
    {
        _name = parameter.Name ?? $"#{parameter.Position}";
        _type = parameter.ParameterType;
        _typeInfo = _type == typeof(JsonElement) ? null : ParamsReading.TypeInfo(_type, serializing);
        _memberNames = [.. new[] { _name, serializing.PropertyNamingPolicy?.ConvertName(_name) ?? _name }.Distinct()];
        _place = $"params.{_memberNames[^1]}";
        _ignoresCase = serializing.PropertyNameCaseInsensitive;
        _allowsNull = _type.IsValueType
            ? Nullable.GetUnderlyingType(_type) is not null
            : NullabilityOf(parameter) != NullabilityState.NotNull;
        _hasDefault = parameter.HasDefaultValue;
        _default = DefaultOf(parameter);
    }

    /// <summary>
    /// True if the handler does not require the parameter: it has a default value or a nullable type.
    /// </summary>
    public static bool IsOptional(ParameterInfo parameter) =>
        parameter.HasDefaultValue || NullabilityOf(parameter) == NullabilityState.Nullable;

    // Reflection returns the default of a nullable enum as a number, which a call does not accept.
    public static object? DefaultOf(ParameterInfo parameter) =>
        !parameter.HasDefaultValue ? null
        : parameter.DefaultValue is { } value
            && Nullable.GetUnderlyingType(parameter.ParameterType) is { IsEnum: true } type ? Enum.ToObject(type, value)
        : parameter.DefaultValue;

    public object? ReadWhole(JsonElement parameters, string method)
    {
        if (JsonText.IsNothing(parameters))
        {
            return _allowsNull || _hasDefault ? _default : Read(JsonText.EmptyObject, "params", method);
        }

        return Read(parameters, "params", method);
    }

    public object? ReadMember(JsonElement parameters, string method)
    {
        if (parameters.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined or JsonValueKind.Null))
        {
            throw Fault(method, $"params is {JsonShape.Of(parameters)}; it must be an object");
        }

        if (parameters.ValueKind == JsonValueKind.Object && Find(parameters) is { } member)
        {
            if (member.ValueKind == JsonValueKind.Null && _type != typeof(JsonElement))
            {
                return _allowsNull
                    ? null
                    : throw Fault(method, $"{_place} is null; it must be {TypeText.WithArticle(_type)}");
            }

            return Read(member, _place, method);
        }

        return _hasDefault || _allowsNull ? _default : throw Missing(parameters, method);
    }

    private static NullabilityState NullabilityOf(ParameterInfo parameter) =>
        new NullabilityInfoContext().Create(parameter).WriteState;

    private JsonElement? Find(JsonElement parameters)
    {
        foreach (var name in _memberNames)
        {
            if (parameters.TryGetProperty(name, out var member))
            {
                return member;
            }
        }

        if (!_ignoresCase)
        {
            return null;
        }

        foreach (var member in parameters.EnumerateObject())
        {
            if (_memberNames.Contains(member.Name, StringComparer.OrdinalIgnoreCase))
            {
                return member.Value;
            }
        }

        return null;
    }

    private object? Read(JsonElement json, string place, string method)
    {
        if (_typeInfo is null)
        {
            return json;
        }

        try
        {
            var value = json.Deserialize(_typeInfo);
            return value is not null || _allowsNull
                ? value
                : throw Fault(method, $"{place} is null; it must be {TypeText.WithArticle(_type)}");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            // Without the serializer's exception and its message: both may show values, and this message is stored and
            // logged.
            throw Fault(method, JsonPlace.Explain(e, json, _typeInfo, place));
        }
    }

    private ParamsBindingException Missing(JsonElement parameters, string method)
    {
        var members = JsonShape.Members(parameters);
        return new ParamsBindingException(ParamsReading.CouldBeService(_type)
            ? $"The parameter \"{_name}\" of the command \"{method}\" is neither a member of the params ({members}) "
                + $"nor a registered service ({TypeText.Of(_type)})."
            : $"The parameter \"{_name}\" of the command \"{method}\" is not a member of the params ({members}).");
    }

    private ParamsBindingException Fault(string method, string why) =>
        new($"The parameter \"{_name}\" of the command \"{method}\" cannot be bound: {why}.");
}
