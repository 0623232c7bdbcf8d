using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Kaiju.Tasks.Json;
using Kaiju.Tasks.Templates;

namespace Kaiju.Tasks.Commands;

/// <summary>A command with its templates parsed. They are parsed once in the lifetime of the command object.</summary>
internal sealed class CompiledCommand
{
    private static readonly ConditionalWeakTable<TaskCommand, CompiledCommand> _known = [];

    // A text without these characters is not a template. A backslash may be the escaped form of one of them.
    private static readonly SearchValues<byte> _signs = SearchValues.Create("[]`\\"u8);

    private readonly TaskCommand _command;
    private readonly Template? _method;
    private readonly Template? _params;
    private readonly Template? _condition;

    private CompiledCommand(TaskCommand command)
    {
        _command = command;
        _method = Template.IsPlain(command.Method) ? null : Template.Parse(JsonWriting.Text(command.Method), "method");
        _params = command.ParamsJson.ValueKind == JsonValueKind.Undefined
            ? null
            : Template.Parse(command.ParamsJson, "params");
        _condition = command.Condition is { Json.ValueKind: not JsonValueKind.Undefined } condition
            ? Template.Parse(condition.Json, "condition")
            : null;
    }

    /// <summary>
    /// True if the command has neither a condition nor a template, so that filling would not change it. Decided by one
    /// scan of its text.
    /// </summary>
    public static bool IsConstant(TaskCommand command) =>
        command.Condition is null
        && Template.IsPlain(command.Method)
        && (command.ParamsJson.ValueKind == JsonValueKind.Undefined || IsPlain(command.ParamsJson));

    /// <summary>True if no text in the value can be a template.</summary>
    public static bool IsPlain(JsonElement json) => JsonText.Raw(json).IndexOfAny(_signs) < 0;

    /// <exception cref="TemplateException">A template does not match the grammar.</exception>
    public static CompiledCommand Of(TaskCommand command) =>
        _known.GetValue(command, static command => new CompiledCommand(command));

    /// <summary>
    /// Fills all templates of the command. The condition is evaluated afterwards, so a bad template fails the stage
    /// even if the condition does not hold.
    /// </summary>
    /// <exception cref="TemplateException">A template cannot be filled.</exception>
    public FilledCommand Fill(TemplateData data, TemplateBudget budget)
    {
        var method = _command.Method;
        if (_method is not null)
        {
            var filled = _method.Fill(data, budget);
            method = filled.ValueKind == JsonValueKind.String ? filled.GetString()! : filled.GetRawText();
        }

        return new FilledCommand(
            method,
            _params?.Fill(data, budget) ?? default,
            _condition?.Fill(data, budget) ?? default);
    }
}

/// <summary>A command with its templates filled.</summary>
/// <param name="Method">The filled method.</param>
/// <param name="Params">The filled params; undefined without params.</param>
/// <param name="Condition">The stored form of the filled condition; undefined without a condition.</param>
internal readonly record struct FilledCommand(string Method, JsonElement Params, JsonElement Condition);
