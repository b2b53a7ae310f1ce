/**
 * Letters of other scripts that people and models take for ASCII letters, by what they look like.
 *
 * Only what NFKC and lower-casing leave different; data from Unicode TS 39 as far as it concerns tool names.
 */
const lookalikes: ReadonlyMap<string, string> = new Map(
  [
    ['a', 'аαɑ'],
    ['b', 'Ьƅв'],
    ['c', 'сϲᴄ'],
    ['d', 'ԁɗ'],
    ['e', 'еҽє'],
    ['f', 'ſẝƒ'],
    ['g', 'ɡցԍ'],
    ['h', 'һհ'],
    ['i', 'іιıɩӏ'],
    ['j', 'јϳ'],
    ['k', 'κкĸ'],
    ['l', 'ⅼǀ'],
    ['m', 'мⅿ'],
    ['n', 'ոп'],
    ['o', 'оοօσ'],
    ['p', 'рρ'],
    ['q', 'ԛգ'],
    ['r', 'гᴦ'],
    ['s', 'ѕꜱ'],
    ['t', 'тτ'],
    ['u', 'υսᴜ'],
    ['v', 'νѵᴠ'],
    ['w', 'ԝѡᴡ'],
    ['x', 'хχ'],
    ['y', 'уγү'],
    ['z', 'ᴢʐ'],
    ['_', 'ˍ'],
    ['-', '‐‑‒–—−'],
  ].flatMap(([ascii = '', others = '']) => Array.from(others, (other) => [other, ascii] as const)),
)

/** The ASCII letter that a character of another script is taken for; undefined when it is none of those. */
export function lookalikeOf(character: string): string | undefined {
  if (isAscii(character)) return undefined
  const known = lookalikes.get(character) ?? lookalikes.get(character.toLowerCase())
  if (known !== undefined) return known
  const folded = character.normalize('NFKC')
  return folded !== '' && folded !== character && isAscii(folded) ? folded : undefined
}

const ignorable = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Mn}]/gu

/** What a name looks like: two names with the same skeleton are taken for each other (THREATS B10). */
export function skeleton(name: string): string {
  const folded = name.normalize('NFKD').replaceAll(ignorable, '').normalize('NFKC').toLowerCase()
  let seen = ''
  for (const character of folded) seen += lookalikes.get(character) ?? character
  return seen
}

/** Whether a name holds characters that cannot be seen: controls, format characters, tags, separators. */
export function hasInvisible(name: string): boolean {
  return /[\p{C}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/u.test(name)
}

/** Whether a name is printable ASCII. */
export function isAscii(name: string): boolean {
  return /^[\x20-\x7e]*$/.test(name)
}
