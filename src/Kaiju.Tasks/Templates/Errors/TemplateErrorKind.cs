namespace Kaiju.Tasks.Templates;

/// <summary>
/// The kinds of faults of templates and conditions: those of the conformance vectors, and exceeded limits.
/// </summary>
internal static class TemplateErrorKind
{
    public const string Unbalanced = "unbalanced";
    public const string EmptyOperator = "empty_operator";
    public const string UnknownOperator = "unknown_operator";
    public const string NoArguments = "no_arguments";
    public const string MissingKey = "missing_key";
    public const string LiteralError = "literal_error";
    public const string FormatError = "format_error";
    public const string UnknownFunction = "unknown_function";
    public const string InvalidCondition = "invalid_condition";
    public const string TypeError = "type_error";
    public const string ValueError = "value_error";
    public const string IndexError = "index_error";

    /// <summary>The steps, the output or the depth exceeded the limit of the <see cref="TemplateBudget"/>.</summary>
    public const string LimitExceeded = "limit_exceeded";
}
