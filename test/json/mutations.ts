/** How many texts the comparison with `JSON.parse` tries; `CAPFENCE_FUZZ_RUNS` asks for more. */
export const runs: number = Number(process.env['CAPFENCE_FUZZ_RUNS'] ?? 15_000)

const seeds: readonly string[] = [
  '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read_file","arguments":{"path":"/tmp/x"}}}',
  ' { "a" : { "a" : [ 1 , -0.5e+10 , 1E400 , 0 , -0 , 123456789012345678901234567890 ] } , "b" : "" } ',
  '{"params":{"a":"\\ud83d\\ude00\\u0000\\n\\"\\\\\\/","arguments":{"constructor":1,"toString":[]}},"id":"\\u0069"}',
  '[true,false,null,"",[],{},[[[[]]]],{"a":{"a":{"a":{}}}}]',
  '{"id":1,"id":2,"a":{"a":1,"a":[2]},"params":null,"method":{"x":1}}',
  '"a text that is long enough to be read in words of four bytes, with an escape \\n somewhere \\u00e9 and more"',
  '{"a":"зачем же так длинно, чтобы читать словами — 漢字 😀 \u2028 end","é":"e\u0301"}',
  `{"a":"${'x'.repeat(70)}\\\\${'y'.repeat(9)}\\"${'z'.repeat(33)}","params":{"name":"${'n'.repeat(40)}"}}`,
  '0',
  '-12.5E-7',
  '{"1":1,"0":0,"-1":-1,"4294967295":2,"01":3}',
]

const fragments: readonly string[] = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u',
  '\\ud800',
  '\\udc00',
  '\\n',
  '0',
  '-',
  '.',
  'e',
  'E+',
  '1e5',
  'true',
  'null',
  ' ',
  '\n',
  '\t',
  '\u0000',
  '\u001f',
  '\u00e9',
  '\u{1f600}',
  '\ufeff',
  '"a":',
  '"id":1,',
  '__proto__',
  '/**/',
  'NaN',
]

/** A small generator (mulberry32), so that a failure can be seen again. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

/** Texts that are nearly JSON, or still are, each somewhere in a larger buffer. */
export function* mutations(count: number, seed = 20_260_728): Generator<Buffer> {
  const random = randomFrom(seed)
  const pick = (texts: readonly string[]): string => texts[random(texts.length)] ?? ''
  for (let k = 0; k < count; k++) {
    let text: Buffer = Buffer.from(pick(seeds))
    for (let changes = random(4); changes > 0; changes--) text = mutate(text, random, pick)
    yield placed(text, random(4))
  }
}

/** The bytes at an offset that words of four do not fit, between bytes that must not be read. */
function placed(text: Buffer, offset: number): Buffer {
  const around = Buffer.alloc(text.length + 8, '"')
  const start = ((4 - (around.byteOffset & 3)) & 3) + offset
  text.copy(around, start)
  return around.subarray(start, start + text.length)
}

function mutate(
  text: Buffer,
  random: (below: number) => number,
  pick: (texts: readonly string[]) => string,
): Buffer {
  const at = random(text.length + 1)
  const to = Math.min(at + random(12), text.length)
  const [before, between, after] = [text.subarray(0, at), text.subarray(at, to), text.subarray(to)]
  switch (random(7)) {
    case 0:
      return Buffer.concat([before, Buffer.of(random(256)), text.subarray(at + 1)])
    case 1:
      return Buffer.concat([before, Buffer.from(pick(fragments)), text.subarray(at)])
    case 2:
      return Buffer.concat([before, after])
    case 3:
      return Buffer.concat([before, between, between, after])
    case 4:
      return Buffer.concat([before, Buffer.from(pick(fragments)), after])
    case 5:
      return random(4) === 0 ? before : swapped(text, random)
    default:
      return Buffer.concat([before, Buffer.from(pick(seeds)), after])
  }
}

/** Puts one value where another stood, which leaves most texts JSON. */
function swapped(text: Buffer, random: (below: number) => number): Buffer {
  const values = [...text.toString('latin1').matchAll(/"[^"]*"|-?[0-9.]+|true|false|null/g)]
  const [from, to] = [values[random(values.length || 1)], values[random(values.length || 1)]]
  if (from === undefined || to === undefined) return text
  return Buffer.concat([
    text.subarray(0, to.index),
    text.subarray(from.index, from.index + from[0].length),
    text.subarray(to.index + to[0].length),
  ])
}
