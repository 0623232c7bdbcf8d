using System.Security.Cryptography;

namespace Kaiju.Tasks.Storage;

/// <summary>Makes the ids of tasks, runs and claims: random ones, or repeatable ones for a simulation.</summary>
public abstract class IdSource
{
    /// <summary>Ids from the system's random number generator.</summary>
    public static IdSource Random { get; } = new RandomIds();

    /// <summary>Makes an id that is unique and cannot be guessed.</summary>
    public abstract Guid NewId();

    private sealed class RandomIds : IdSource
    {
        // Each use of the system's generator is a call into the kernel: fetch the bytes of many ids at a time.
        private const int Together = 64;
        private const int Size = 16;

        [ThreadStatic]
        private static byte[]? _bytes;

        [ThreadStatic]
        private static int _left;

        public override Guid NewId()
        {
            _bytes ??= new byte[Together * Size];
            if (_left == 0)
            {
                RandomNumberGenerator.Fill(_bytes);
                _left = Together;
            }

            // Bytes are used once and cleared below. Version 4 of RFC 9562: random but for the version and the variant.
            var bytes = _bytes.AsSpan(--_left * Size, Size);
            bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
            bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
            var id = new Guid(bytes, bigEndian: true);
            bytes.Clear();
            return id;
        }
    }
}
