/**
 * Walks over well-formed UTF-8 characters outside ASCII (Unicode, table 3-7).
 *
 * @returns the first place from `from` on where a byte is ASCII, or where the text ends; `~place` of
 * the first sequence that is overlong, a surrogate, beyond U+10FFFF, cut short, or none at all
 */
export function wideRunEnd(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const lead = bytes[at] ?? 0
    if (lead < 0x80) return at
    const length = sequenceLength(lead, bytes[at + 1] ?? 0)
    for (let k = 2; k < length; k++) {
      if (((bytes[at + k] ?? 0) & 0xc0) !== 0x80) return ~at
    }
    if (length === 0) return ~at
    at += length
  }
}

/** How long a character is that starts with these two bytes, 0 when none does. */
function sequenceLength(lead: number, second: number): number {
  if ((second & 0xc0) !== 0x80 || lead < 0xc2 || lead > 0xf4) return 0
  if (lead < 0xe0) return 2
  if (lead === 0xe0) return second >= 0xa0 ? 3 : 0
  if (lead === 0xed) return second < 0xa0 ? 3 : 0
  if (lead < 0xf0) return 3
  if (lead === 0xf0) return second >= 0x90 ? 4 : 0
  if (lead === 0xf4) return second < 0x90 ? 4 : 0
  return 4
}
