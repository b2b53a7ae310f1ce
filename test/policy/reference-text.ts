// Texts that are read as JSON in the reference evaluator, character by character; see reference.ts.

export interface Texts {
  readonly values: readonly string[]
  readonly names: readonly string[]
}

const mostTimes = 4

/** The texts as they stand, then read once, twice and so on as long as that changes one; undefined when it never ends. */
export function readingsAsJson(texts: Texts): readonly Texts[] | undefined {
  // What separates texts may not stand in one of them.
  const plain = (all: readonly string[]): readonly string[] =>
    all.map((text) => text.replaceAll('\0', ''))
  const readings: Texts[] = [{ values: plain(texts.values), names: plain(texts.names) }]
  for (let times = 0; times < mostTimes; times += 1) {
    const last = readings.at(-1) ?? texts
    const next = readOnce(last)
    if (JSON.stringify(next) === JSON.stringify(last)) return readings
    readings.push({ values: plain(next.values), names: plain(next.names) })
  }
  const { values, names } = readings.at(-1) ?? texts
  return [...values, ...names].some(saysMore) ? undefined : readings
}

function saysMore(text: string): boolean {
  if (!text.includes('\\')) return false
  return looksLikeJson(text) || /\\u[0-9a-f]{4}/i.test(text) || text.includes('\\/')
}

function looksLikeJson(text: string): boolean {
  const inner = text.trim()
  const isOne = (character: string | undefined, of: string): boolean =>
    character !== undefined && of.includes(character)
  return text.length > 1 && isOne(inner[0], '{["\'') && isOne(inner.at(-1), '}]"\'')
}

function readOnce({ values, names }: Texts): Texts {
  const read = { values: [] as string[], names: [] as string[] }
  for (const text of values) readText(text, read, read.values)
  for (const text of names) readText(text, read, read.names)
  return read
}

function readText(text: string, read: { readonly names: string[] }, values: string[]): void {
  if (!looksLikeJson(text)) {
    values.push(withoutEscapes(text))
    return
  }
  let rest = text
  while (rest !== '') {
    const piece = nextPiece(rest)
    rest = rest.slice(piece.length)
    if (/^[\s,:{}[\]]$/.test(piece)) continue
    const isName = rest.trimStart().startsWith(':')
    const isQuoted = piece.startsWith('"') || piece.startsWith("'")
    const inner = isQuoted ? withoutEscapes(unquoted(piece)) : piece
    if (isName) read.names.push(inner)
    else values.push(inner)
  }
}

/** A sign, a string with its quotes, or a word. */
function nextPiece(text: string): string {
  const first = text[0] ?? ''
  if (first === '"' || first === "'") {
    for (let at = 1; at < text.length; at += 1) {
      if (text[at] === '\\') at += 1
      else if (text[at] === first) return text.slice(0, at + 1)
    }
    return text
  }
  let length = 0
  while (length < text.length && !/[\s,:{}[\]"']/.test(text[length] ?? '')) length += 1
  return text.slice(0, Math.max(1, length))
}

function unquoted(piece: string): string {
  const inner = piece.slice(1)
  return inner.endsWith('"') || inner.endsWith("'") ? inner.slice(0, -1) : inner
}

const signs: Readonly<Record<string, string>> = {
  ...{ '"': '"', "'": "'", '\\': '\\', '/': '/' },
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
}

function withoutEscapes(text: string): string {
  let plain = ''
  for (let at = 0; at < text.length; at += 1) {
    const next = text[at + 1] ?? ''
    const code = text.slice(at + 2, at + 6)
    if (text[at] !== '\\') plain += text[at]
    else if (next === 'u' && /^[0-9a-f]{4}$/i.test(code)) {
      plain += String.fromCharCode(Number.parseInt(code, 16))
      at += 5
    } else if (Object.hasOwn(signs, next)) {
      plain += signs[next] ?? ''
      at += 1
    } else plain += '\\'
  }
  return plain
}
