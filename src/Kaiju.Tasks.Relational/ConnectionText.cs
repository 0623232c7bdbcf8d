using System.Data.Common;

namespace Kaiju.Tasks.Relational;

/// <summary>
/// Parses connection strings as their driver does, and writes the error messages itself. The drivers' messages do not
/// name the option, and may show a part of a password that is not quoted.
/// </summary>
/// <param name="option">The name of the option that holds the string.</param>
/// <param name="driver">The driver's name, for messages.</param>
internal sealed class ConnectionText<TBuilder>(string option, string driver)
    where TBuilder : DbConnectionStringBuilder, new()
{
    /// <exception cref="ArgumentException">The string is invalid; the message names the option and the key.</exception>
    public TBuilder Read(string text)
    {
        try
        {
            return new TBuilder { ConnectionString = text };
        }
        catch (Exception e) when (IsRefusal(e))
        {
            // Without the driver's exception, whose message may contain a part of the password.
            throw new ArgumentException($"{option} {FindFault(text)}");
        }
    }

    private static bool IsRefusal(Exception e) =>
        e is ArgumentException or FormatException or OverflowException or InvalidCastException or NotSupportedException;

    private string FindFault(string text)
    {
        DbConnectionStringBuilder given;
        try
        {
            given = new DbConnectionStringBuilder { ConnectionString = text };
        }
        catch (ArgumentException e)
        {
            // The framework's message gives the position of the error, and no text of the string.
            return $"is invalid; it must consist of key=value pairs separated by semicolons. {e.Message}";
        }

        var isAfterPassword = false;
        foreach (string key in given.Keys)
        {
            if (!new TBuilder().ContainsKey(key))
            {
                return isAfterPassword
                    ? $"has a key of {key.Length} characters after the password that {driver} does not know. "
                        + "A password that contains ; or = must be quoted."
                    : $"has the key \"{Spelling(text, key)}\", which {driver} does not know.";
            }

            if (FindFault(key, given[key]) is { } fault)
            {
                return $"has the value \"{given[key]}\" for the key \"{Spelling(text, key)}\": {fault}";
            }

            isAfterPassword = IsPassword(key);
        }

        return $"cannot be read by {driver}.";
    }

    /// <summary>The reason why the driver refuses a value; null if it accepts the value.</summary>
    private static string? FindFault(string key, object value)
    {
        try
        {
            _ = new TBuilder { [key] = value };
            return null;
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return (e.InnerException ?? e).Message;
        }
    }

    private static bool IsPassword(string key) =>
        key.Contains("password", StringComparison.OrdinalIgnoreCase) || key is "pwd" or "psw";

    /// <summary>The key as the string spells it.</summary>
    private static string Spelling(string text, string key) =>
        text.IndexOf(key, StringComparison.OrdinalIgnoreCase) is >= 0 and var at ? text.Substring(at, key.Length) : key;
}
