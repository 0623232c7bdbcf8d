using System.Globalization;
using System.Numerics;

namespace Kaiju.Tasks.Templates;

/// <summary>Writes doubles as Python does: shortest, with fixed decimals, or with a number of digits.</summary>
internal static class FloatText
{
    // Python's repr uses the exponent form from 1e16.
    private const int ShortestFixedDigits = 16;

    // A double is mantissa * 2^exponent. These are the bits of its mantissa and the bias of its exponent.
    private const int MantissaBits = 52;
    private const int ExponentBias = 1075;

    /// <summary>The shortest text that is parsed as the same double, always with a point or an exponent.</summary>
    public static string Shortest(double value)
    {
        if (!double.IsFinite(value))
        {
            return NotFinite(value);
        }

        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var mark = text.IndexOf('E', StringComparison.Ordinal);
        var mantissa = mark < 0 ? text : text[..mark];
        var exponent = mark < 0
            ? 0
            : int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        var position = (point < 0 ? mantissa.Length : point) + exponent - (all.Length - digits.Length);
        return Sign(value) + Layout(digits.TrimEnd('0'), value == 0 ? 1 : position, ShortestFixedDigits);
    }

    /// <summary>A fixed number of decimals, rounded half to even on the exact binary value.</summary>
    public static string Fixed(double value, int decimals)
    {
        if (!double.IsFinite(value))
        {
            return NotFinite(value);
        }

        var (mantissa, exponent) = Split(value);
        var scaled = mantissa * BigInteger.Pow(10, decimals);
        var rounded = exponent >= 0 ? scaled << exponent : DivideHalfEven(scaled, BigInteger.One << -exponent);
        var digits = rounded.ToString(CultureInfo.InvariantCulture).PadLeft(decimals + 1, '0');
        return Sign(value) + (decimals == 0 ? digits : digits.Insert(digits.Length - decimals, "."));
    }

    /// <summary>
    /// A number of significant digits without trailing zeros, in the exponent form if Python uses it.
    /// </summary>
    public static string Significant(double value, int count)
    {
        if (!double.IsFinite(value))
        {
            return NotFinite(value);
        }

        var keep = Math.Max(count, 1);
        var (digits, position) = value == 0 ? ("", 1) : RoundDigits(value, keep);
        return Sign(value) + Layout(digits.TrimEnd('0'), position, keep - 1);
    }

    private static (string Digits, int Position) RoundDigits(double value, int keep)
    {
        var (mantissa, exponent) = Split(value);

        // m * 2^-n is m * 5^n with the point moved by n places.
        var exact = exponent >= 0 ? mantissa << exponent : mantissa * BigInteger.Pow(5, -exponent);
        var digits = exact.ToString(CultureInfo.InvariantCulture);
        var position = digits.Length + Math.Min(exponent, 0);
        if (digits.Length <= keep)
        {
            return (digits, position);
        }

        var rounded = DivideHalfEven(
            exact, BigInteger.Pow(10, digits.Length - keep)).ToString(CultureInfo.InvariantCulture);
        return (rounded, position + rounded.Length - keep);
    }

    /// <summary>Inserts the point after <paramref name="position"/> digits.</summary>
    private static string Layout(string digits, int position, int longestFixed)
    {
        if (position <= -4 || position > longestFixed)
        {
            var exponent = position - 1;
            var shown = digits.Length == 0 ? "0" : digits;
            var mantissa = shown.Length == 1 ? shown : shown.Insert(1, ".");
            var size = Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture);
            return $"{mantissa}e{(exponent < 0 ? '-' : '+')}{size}";
        }

        if (position <= 0)
        {
            return "0." + new string('0', -position) + digits;
        }

        return digits.Length <= position
            ? digits.PadRight(position, '0') + ".0"
            : digits.Insert(position, ".");
    }

    private static (BigInteger Mantissa, int Exponent) Split(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(Math.Abs(value));
        var exponent = (int)(bits >> MantissaBits);
        var fraction = bits & ((1L << MantissaBits) - 1);
        return exponent == 0
            ? (fraction, 1 - ExponentBias)
            : (fraction | (1L << MantissaBits), exponent - ExponentBias);
    }

    private static BigInteger DivideHalfEven(BigInteger dividend, BigInteger divisor)
    {
        var quotient = BigInteger.DivRem(dividend, divisor, out var rest);
        var order = (rest * 2).CompareTo(divisor);
        return order > 0 || (order == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    private static string Sign(double value) => double.IsNegative(value) ? "-" : "";

    private static string NotFinite(double value) => double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
