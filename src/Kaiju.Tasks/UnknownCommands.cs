namespace Kaiju.Tasks;

/// <summary>The ways of an executor to handle a stage whose command it does not know.</summary>
public enum UnknownCommands
{
    /// <summary>
    /// The task returns to the queue, without an attempt or an interruption. There it waits for an executor that knows
    /// the command, such as one of the next version. Executors announce their commands, so most such tasks are not even
    /// claimed. While no executor knows the command, a manager logs a warning once an hour.
    /// </summary>
    Wait = 0,

    /// <summary>
    /// The stage fails with <see cref="TaskErrorKind.UnknownCommand"/>, as in the Python original. The executor
    /// announces no commands and claims every task of its apps.
    /// </summary>
    Fail = 1,
}
