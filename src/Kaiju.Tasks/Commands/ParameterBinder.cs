using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kaiju.Tasks.Serialization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Kaiju.Tasks.Commands;

/// <summary>
/// Gives a handler's parameters their values: the stage, the token and services by type, the params as a whole where
/// <see cref="ParamsAttribute"/> asks for it, and everything else from the params' member of the parameter's name.
/// </summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal sealed class ParameterBinder
{
    private delegate object? Source(IServiceProvider services, StageContext context, JsonElement parameters, CancellationToken cancellationToken);

    private readonly Source[] _sources;

    /// <exception cref="ArgumentException">A parameter is of a kind that nothing can be bound to.</exception>
    public ParameterBinder(MethodInfo method, Type? whole, BindingHost host, string place)
    {
        var parameters = method.GetParameters();
        if (whole is not null && parameters.All(parameter => parameter.ParameterType != whole))
        {
            throw new ArgumentException($"{place}: the handler has no parameter of the type {whole}, which is to take the params as a whole.");
        }

        _sources = [.. parameters.Select(parameter => SourceOf(parameter, whole, host, place))];
    }

    /// <exception cref="ParamsBindingException">The params do not fit; it names the parameter and the JSON found.</exception>
    public object?[] Bind(IServiceProvider services, StageContext context, JsonElement parameters, CancellationToken cancellationToken)
    {
        var values = new object?[_sources.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = _sources[i](services, context, parameters, cancellationToken);
        }

        return values;
    }

    private static Source SourceOf(ParameterInfo parameter, Type? whole, BindingHost host, string place)
    {
        var type = parameter.ParameterType;
        if (type.IsByRef || type.IsPointer || type.IsByRefLike)
        {
            throw new ArgumentException($"{place}: the parameter \"{parameter.Name}\" is passed by reference or lives on the stack; commands cannot have such parameters.");
        }

        if (type == typeof(CancellationToken))
        {
            return static (_, _, _, cancellationToken) => cancellationToken;
        }

        if (type == typeof(StageContext))
        {
            return static (_, context, _, _) => context;
        }

        if (type == typeof(ILogger))
        {
            return static (_, context, _, _) => context.Logger;
        }

        if (type == typeof(IServiceProvider))
        {
            return static (services, _, _, _) => services;
        }

        var isWhole = type == whole || parameter.IsDefined(typeof(ParamsAttribute));
        if (!isWhole && IsService(type, host.Services))
        {
            return (services, _, _, _) => services.GetRequiredService(type);
        }

        var reader = new JsonParameter(parameter, host.Serializing);
        return isWhole
            ? (_, context, parameters, _) => reader.ReadWhole(parameters, context.Method)
            : (_, context, parameters, _) => reader.ReadMember(parameters, context.Method);
    }

    // The container says yes to every IEnumerable<T>; what matters is whether there is a T.
    private static bool IsService(Type type, IServiceProviderIsService services) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IEnumerable<>)
            ? services.IsService(type.GetGenericArguments()[0])
            : services.IsService(type);
}

/// <summary>A parameter that comes out of the command's params.</summary>
[RequiresUnreferencedCode(TrimmingNotice.Message)]
[RequiresDynamicCode(TrimmingNotice.Message)]
internal sealed class JsonParameter
{
    private readonly string _name;
    private readonly string[] _memberNames;
    private readonly Type _type;
    private readonly bool _allowsNull;
    private readonly bool _hasDefault;
    private readonly object? _default;
    private readonly JsonSerializerOptions _serializing;
    private readonly JsonTypeInfo? _typeInfo;

    public JsonParameter(ParameterInfo parameter, JsonSerializerOptions serializing)
    {
        _name = parameter.Name ?? $"#{parameter.Position}";
        _type = parameter.ParameterType;
        _serializing = serializing;
        serializing.MakeReadOnly(populateMissingResolver: true);
        _typeInfo = serializing.TryGetTypeInfo(_type, out var typeInfo) ? typeInfo : null;
        _memberNames = [.. new[] { _name, serializing.PropertyNamingPolicy?.ConvertName(_name) ?? _name }.Distinct()];
        _allowsNull = _type.IsValueType
            ? Nullable.GetUnderlyingType(_type) is not null
            : new NullabilityInfoContext().Create(parameter).WriteState != NullabilityState.NotNull;
        _hasDefault = parameter.HasDefaultValue;
        _default = _hasDefault ? DefaultOf(parameter) : null;
    }

    public object? ReadWhole(JsonElement parameters, string method)
    {
        if (JsonText.IsNothing(parameters))
        {
            return _allowsNull || _hasDefault ? _default : Read(JsonText.EmptyObject, method, parameters);
        }

        return Read(parameters, method, parameters);
    }

    public object? ReadMember(JsonElement parameters, string method)
    {
        if (parameters.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined or JsonValueKind.Null))
        {
            throw Fault(method, parameters, "the params are no object");
        }

        if (parameters.ValueKind == JsonValueKind.Object && Find(parameters) is { } member)
        {
            if (member.ValueKind == JsonValueKind.Null && _type != typeof(JsonElement))
            {
                return _allowsNull ? null : throw Fault(method, parameters, $"the member \"{_name}\" is null");
            }

            return Read(member, method, parameters);
        }

        return _hasDefault || _allowsNull ? _default : throw Fault(method, parameters, $"there is no member \"{_memberNames[^1]}\"");
    }

    // The default of a nullable enum is kept as its number, which no call accepts.
    private static object? DefaultOf(ParameterInfo parameter) =>
        parameter.DefaultValue is { } value && Nullable.GetUnderlyingType(parameter.ParameterType) is { IsEnum: true } type
            ? Enum.ToObject(type, value)
            : parameter.DefaultValue;

    private JsonElement? Find(JsonElement parameters)
    {
        foreach (var name in _memberNames)
        {
            if (parameters.TryGetProperty(name, out var member))
            {
                return member;
            }
        }

        if (!_serializing.PropertyNameCaseInsensitive)
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

    private object? Read(JsonElement json, string method, JsonElement parameters)
    {
        try
        {
            var value = _type == typeof(JsonElement) ? json : _typeInfo is null ? json.Deserialize(_type, _serializing) : json.Deserialize(_typeInfo);
            return value is not null || _allowsNull ? value : throw Fault(method, parameters, $"{JsonText.Show(json)} is null");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw Fault(method, parameters, $"{JsonText.Show(json)} is no {Nullable.GetUnderlyingType(_type)?.Name ?? _type.Name}: {e.Message}", e);
        }
    }

    private ParamsBindingException Fault(string method, JsonElement parameters, string why, Exception? inner = null) =>
        new($"The parameter \"{_name}\" of the command \"{method}\" cannot be bound: {why}. The params are {JsonText.Show(parameters)}.", inner);
}
