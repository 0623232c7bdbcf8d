namespace Kaiju.Tasks.Commands;

/// <summary>The params do not fit the handler's parameters.</summary>
internal sealed class ParamsBindingException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The handler's result cannot be written as JSON.</summary>
internal sealed class ResultWritingException(string message, Exception? inner = null) : Exception(message, inner);
