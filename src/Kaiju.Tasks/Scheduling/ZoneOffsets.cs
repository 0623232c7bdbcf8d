namespace Kaiju.Tasks.Scheduling;

/// <summary>An instant at which the offset of a time zone changes.</summary>
/// <param name="At">The first instant of the new offset, in ticks of UTC.</param>
/// <param name="Before">The offset until then, in ticks.</param>
/// <param name="After">The offset from then on, in ticks.</param>
internal readonly record struct OffsetChange(long At, long Before, long After)
{
    /// <summary>True if local times are skipped: those from <c>At + Before</c> until <c>At + After</c>.</summary>
    public bool IsGap => After > Before;

    /// <summary>The first local time after the change that exists once, in ticks.</summary>
    public long LocalEnd => At + Math.Max(Before, After);
}

/// <summary>
/// The offsets of a time zone at each instant. <see cref="TimeZoneInfo"/> converts instants correctly. Its answers
/// about local times (invalid, ambiguous) are wrong if daylight saving time is negative, such as in Dublin. They are
/// also wrong on days on which a country changes its base offset. See
/// docs/decisions/0009-local-times-come-from-offsets.md.
/// </summary>
/// <param name="zone">The zone.</param>
internal sealed class ZoneOffsets(TimeZoneInfo zone)
{
    /// <summary>The largest change of an offset, in ticks: offsets are from -14 to +14 hours.</summary>
    public const long Reach = 28 * TimeSpan.TicksPerHour;

    // Changes of the same zone are days apart in all data since 1970. So there is at most one within a stride.
    private const long Stride = 7 * TimeSpan.TicksPerHour;

    /// <summary>The offset at an instant. All times of this class are in ticks.</summary>
    /// <param name="utc">The instant.</param>
    public long At(long utc) =>
        zone.GetUtcOffset(new DateTimeOffset(Math.Clamp(utc, 0, DateTime.MaxValue.Ticks), TimeSpan.Zero)).Ticks;

    /// <summary>The first change after an instant, until another one (included); null if there is none.</summary>
    /// <param name="after">The instant.</param>
    /// <param name="until">The last instant that is checked.</param>
    public OffsetChange? FirstChange(long after, long until)
    {
        var offset = At(after);
        while (after < until)
        {
            var next = Math.Min(after + Stride, until);
            if (At(next) != offset)
            {
                return ChangeWithin(after, next);
            }

            after = next;
        }

        return null;
    }

    /// <summary>
    /// The last change in the <see cref="Reach"/> before an instant (included); null if there is none.
    /// </summary>
    /// <param name="until">The instant.</param>
    public OffsetChange? LastChange(long until)
    {
        var offset = At(until);
        for (var looked = Stride; looked <= Reach; looked += Stride)
        {
            if (At(until - looked) != offset)
            {
                return ChangeWithin(until - looked, until - looked + Stride);
            }
        }

        return null;
    }

    // Finds the change by bisection. The offsets at the two instants differ.
    private OffsetChange ChangeWithin(long before, long at)
    {
        var offset = At(before);
        while (at - before > 1)
        {
            var middle = before + ((at - before) / 2);
            if (At(middle) == offset)
            {
                before = middle;
            }
            else
            {
                at = middle;
            }
        }

        return new OffsetChange(at, offset, At(at));
    }
}
