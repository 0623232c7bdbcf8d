using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Kaiju.Tasks.Templates;

/// <summary>The functions of time and chance, whose results differ from call to call.</summary>
internal static class SourceFunctions
{
    /// <summary>The largest number of bytes that <c>urandom</c> returns.</summary>
    public const int MostRandomBytes = 1024;

    /// <summary>A random id, such as <c>0f8fad5b-d9cb-469f-a165-70867728950e</c>.</summary>
    public static TemplateValue Uuid4(FunctionCall call)
    {
        var bytes = Draw(call, 16);

        // Version 4 and the variant of RFC 9562.
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return TemplateValue.Of(new Guid(bytes, bigEndian: true).ToString("D"));
    }

    public static TemplateValue Now(FunctionCall call) =>
        TemplateValue.Of(
            call.Sources.Time.GetLocalNow().ToString(DateFunctions.TimeFormat + "zzz", CultureInfo.InvariantCulture));

    public static TemplateValue UtcNow(FunctionCall call) =>
        TemplateValue.Of(
            call.Sources.Time.GetUtcNow().ToString(DateFunctions.TimeFormat + "'Z'", CultureInfo.InvariantCulture));

    public static TemplateValue NowDate(FunctionCall call) =>
        TemplateValue.Of(
            call.Sources.Time.GetLocalNow().ToString(DateFunctions.DateFormat, CultureInfo.InvariantCulture));

    /// <summary>The seconds since 1970, with fractions.</summary>
    public static TemplateValue Timestamp(FunctionCall call)
    {
        var ticks = (call.Sources.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks;
        return TemplateValue.Of(new Number((double)ticks / TimeSpan.TicksPerSecond));
    }

    /// <summary>A random number from 0 to 1, 1 excluded.</summary>
    public static TemplateValue Random(FunctionCall call)
    {
        // A double in this range has 53 significant bits.
        var bits = BinaryPrimitives.ReadUInt64LittleEndian(Draw(call, 8)) >> 11;
        return TemplateValue.Of(new Number(bits * (1.0 / (1UL << 53))));
    }

    /// <summary>A random integer between two numbers, both included.</summary>
    public static TemplateValue RandInt(FunctionCall call)
    {
        var (low, high) = (call.Integer(0), call.Integer(1));
        if (low > high)
        {
            throw call.ValueError("the first number is greater than the second.");
        }

        // Eight bytes more than the range needs, so that the bias of the remainder is negligible.
        var range = high - low + 1;
        var drawn = new BigInteger(Draw(call, range.GetByteCount() + 8), isUnsigned: true);
        return TemplateValue.Of(low + (drawn % range));
    }

    /// <summary>A number of random bytes, as hexadecimal digits.</summary>
    public static TemplateValue URandom(FunctionCall call)
    {
        var count = call.Integer(0);
        if (count < 0 || count > MostRandomBytes)
        {
            throw call.ValueError($"it gives from 0 to {MostRandomBytes} bytes, and is asked for another number.");
        }

        return TemplateValue.Of(Convert.ToHexStringLower(Draw(call, (int)count)));
    }

    private static byte[] Draw(FunctionCall call, int count)
    {
        call.Evaluation.Scan(count);
        var bytes = new byte[count];
        call.Sources.Random(bytes);
        return bytes;
    }
}
