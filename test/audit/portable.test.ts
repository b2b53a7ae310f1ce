import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { signCheckpoint } from '../../src/audit/checkpoint.ts'
import { leafHash } from '../../src/audit/codec.ts'
import { printPin } from '../../src/audit/pin.ts'
import { appendLeaf, emptyTree, rootOf, type TreeHead } from '../../src/audit/tree.ts'
import { linesOf, shownOf, tilesOf } from './exported.ts'
import { keyAdd } from './honest-log.ts'
import { portableInBrowser } from './portable-bundle.ts'
import { SignedLog, signerOf, verifyStored, type StoredLog } from './signed-log.ts'
import { variedLog } from './varied-log.ts'

const portable = await portableInBrowser()

const large = variedLog({
  records: 2300,
  rotations: [40, 700, 1500],
  redactions: new Map([[500, 400]]),
})
const small = variedLog({ records: 26, rotations: [9, 20], redactions: new Map([[15, 4]]) })
const keys = large.pin
const pin = portable.readPin(printPin(keys))

/** In pieces of odd sizes, as a stream has them. */
function* piecesOf(text: string | Uint8Array, bytes = 977): Generator<Uint8Array> {
  const all = Buffer.from(text)
  for (let at = 0; at < all.length; at += bytes) yield new Uint8Array(all.subarray(at, at + bytes))
}

const verifyText = (text: string | Uint8Array) => portable.verifyLines(piecesOf(text), pin)
const verifyFiles = (files: ReadonlyMap<string, Buffer>) =>
  portable.verifyTiles(async (path) => files.get(path), pin)

const refused: unknown = expect.objectContaining({ name: 'Refused' })

/** The answer of a verification: whether it holds. */
async function holds(verify: () => unknown): Promise<boolean> {
  try {
    await verify()
    return true
  } catch (error) {
    expect(error).toMatchObject({ name: 'Refused' })
    return false
  }
}

describe('an export of an honest log', () => {
  const proof = {
    origin: keys.stable.name,
    size: 2300,
    root: large.stored().head?.root,
    epochs: 4,
    checkpoints: 5,
    signedFrom: 0,
  }

  test.each([true, false])('verifies in JSON Lines (with disclosures: %s)', async (shown) => {
    const report = await verifyText(linesOf(large.stored(), keys, shown))
    expect(report).toMatchObject(
      shown ? { ...proof, erased: 2 } : { ...proof, disclosed: undefined },
    )
    expect(report.disclosed ?? 0).toBe(shown ? disclosedBy(large) : 0)
  })

  test.each([true, false])('verifies in tiles (with disclosures: %s)', async (shown) => {
    const report = await verifyFiles(tilesOf(large.stored(), keys, shown))
    expect(report).toMatchObject(
      shown ? { ...proof, erased: 2 } : { ...proof, disclosed: undefined },
    )
    expect(report.disclosed ?? 0).toBe(shown ? disclosedBy(large) : 0)
  })

  test('verifies whatever the sizes of its pieces are', async () => {
    const text = linesOf(small.stored(), keys, true)
    for (const bytes of [1, 7, 4096, text.length * 2]) {
      expect(await portable.verifyLines(piecesOf(text, bytes), pin)).toMatchObject({ size: 26 })
    }
  })

  test('verifies when the log began unsigned, and says from where on it was signed', async () => {
    const log = new SignedLog().open({ vkey: null, epoch_vkey: null })
    while (log.size < 1005) log.append({ type: 'heartbeat', data: {} })
    log.append(keyAdd(log))
    const unsigned = { ...log.stored(), checkpoints: [] }
    expect(verifyStored(unsigned, { pin: keys }).verdict).toBe('ok')
    expect(await verifyText(linesOf(unsigned, keys, false))).toMatchObject({ signedFrom: 1005 })
    log.rotate()
    const rotated = { ...log.stored(), checkpoints: log.checkpoints.slice(1) }
    expect(await verifyText(linesOf(rotated, keys, false))).toMatchObject({ epochs: 2 })
  })

  function disclosedBy(log: SignedLog): number {
    return log.rows.reduce((sum, { disclosures }) => sum + shownOf(disclosures).length, 0)
  }
})

/** A change of a stored log; whoever made it has no key, and has put leaves and sizes right as far as they can be. */
type Attack = (log: StoredLog) => void

const body = (log: StoredLog, seq: number, change: (json: string) => string): void => {
  const row = log.rows[seq]
  if (row === undefined) throw new Error('no such row')
  const bytes = Buffer.from(change(Buffer.from(row.body).toString('utf8')), 'utf8')
  log.rows[seq] = { ...row, body: bytes, leaf: Buffer.from(leafHash(bytes), 'hex') }
}
const reheaded = (log: StoredLog, note: string): void => {
  if (log.head !== undefined) log.head = { ...log.head, note }
}
const disclosed = small.rows.findIndex(({ disclosures }) => disclosures !== '')
const other = 'wrong'

const attacks: Readonly<Record<string, Attack>> = {
  'a field edited': (log) => body(log, 5, (json) => json.replace('"v":1', '"v":2')),
  'a word edited': (log) => body(log, 0, (json) => json.replace('capfence/test', 'capfence/best')),
  'the json formatted': (log) => body(log, 3, (json) => json.replace('{"d":', '{ "d":')),
  'a member twice': (log) => body(log, 3, (json) => json.replace('"v":1', '"v":1,"v":1')),
  'a number spelled otherwise': (log) => body(log, 3, (json) => json.replace('"v":1', '"v":1.0')),
  'a leaf blanked': (log) => {
    log.rows[5] = { ...(log.rows[5] ?? never()), leaf: Buffer.alloc(32) }
  },
  'the last record cut off': (log) => void log.rows.pop(),
  'the last ten records cut off': (log) => void log.rows.splice(16),
  'a middle record taken out': (log) => void log.rows.splice(12, 1),
  'two records swapped': (log) => {
    const [left, right] = [log.rows[12] ?? never(), log.rows[13] ?? never()]
    log.rows.splice(12, 2, { ...right, seq: 12 }, { ...left, seq: 13 })
  },
  'a record repeated': (log) => void log.rows.push({ ...(log.rows[25] ?? never()), seq: 26 }),
  'a forged record appended': (log) => {
    const last = log.rows[25] ?? never()
    const json = Buffer.from(last.body).toString('utf8').replace('"seq":25', '"seq":26')
    const bytes = Buffer.from(json)
    log.rows.push({
      seq: 26,
      body: bytes,
      leaf: Buffer.from(leafHash(bytes), 'hex'),
      disclosures: '',
    })
  },
  'the last record edited': (log) => {
    body(log, 25, (json) => json.replace('"reason":"rule"', '"reason":"rude"'))
  },
  'all records gone': (log) => void log.rows.splice(0),
  'the checkpoint of a rotation gone': (log) => void log.checkpoints.shift(),
  'all checkpoints gone': (log) => void log.checkpoints.splice(0),
  'a rotation without the key that goes': (log) => {
    const stripped = lineLess(log.checkpoints[0]?.note ?? '', 'epoch-1')
    log.checkpoints[0] = { size: 10, note: stripped }
  },
  'a rotation without the key that comes': (log) => {
    log.checkpoints[0] = { size: 10, note: lineLess(log.checkpoints[0]?.note ?? '', 'epoch-2') }
  },
  'a rotation to another key': (log) =>
    body(log, 9, (json) => json.replace(/("next":"[^"]*)./, '$1A')),
  'the head without a signature of the log': (log) => {
    reheaded(log, (log.head?.note ?? '').replace(/\u2014 \S+ \S+\n/, ''))
  },
  'the head without a signature of its epoch': (log) =>
    reheaded(log, lineLess(log.head?.note ?? '', 'epoch-3')),
  'the head without signatures': (log) =>
    reheaded(log, (log.head?.note ?? '').replace(/\u2014.*\n/g, '')),
  'an older head': (log) => reheaded(log, log.checkpoints[1]?.note ?? ''),
  'a head signed by others': (log) => {
    const stranger = signerOf(`${keys.stable.name}/epoch-9`)
    reheaded(log, small.note([small.stable, stranger]))
  },
  'a head signed by an epoch that is over': (log) => {
    reheaded(log, small.note([small.stable, signerOf(`${keys.stable.name}/epoch-1`)]))
  },
  'a disclosure changed': (log) =>
    disclose(log, (all) => [`A${all[0]?.slice(1) ?? ''}`, ...all.slice(1)]),
  'a disclosure erased in silence': (log) => disclose(log, (all) => all.slice(1)),
  'a disclosure shown twice': (log) => disclose(log, (all) => [...all, ...all]),
  'a disclosure of another record': (log) => {
    const others = shownOf(log.rows[disclosed + 3]?.disclosures ?? '')
    disclose(log, () => others)
  },
  'a redacted disclosure put back': (log) => {
    const before = variedLog({ records: 15, rotations: [9] })
    log.rows[4] = { ...(log.rows[4] ?? never()), disclosures: before.rows[4]?.disclosures ?? '' }
  },
  'a disclosure of a record without any': (log) => {
    log.rows[0] = {
      ...(log.rows[0] ?? never()),
      disclosures: `${Buffer.from(other).toString('base64url')}~`,
    }
  },
  'everything forged but the keys': (log) => {
    body(log, 5, (json) => json.replace('"since_ms":1700000000000', '"since_ms":1700000000001'))
    let prev = '0'.repeat(64)
    let tree: TreeHead = emptyTree
    for (const { seq } of log.rows) {
      body(log, seq, (json) => json.replace(/"prev":"[0-9a-f]{64}"/, `"prev":"${prev}"`))
      prev = Buffer.from(log.rows[seq]?.leaf ?? '').toString('hex')
      tree = appendLeaf(tree, prev)
    }
    const root = Buffer.from(rootOf(tree), 'hex').toString('base64')
    reheaded(log, (log.head?.note ?? '').replace(/\n.{44}\n/, `\n${root}\n`))
  },
}

function never(): never {
  throw new Error('it is there')
}

/** A note without the signature of one epoch. */
function lineLess(note: string, epoch: string): string {
  return note.replace(new RegExp(`\u2014 \\S+/${epoch} \\S+\n`), '')
}

function disclose(log: StoredLog, change: (all: readonly string[]) => readonly string[]): void {
  const row = log.rows[disclosed] ?? never()
  const changed = change(shownOf(row.disclosures))
  log.rows[disclosed] = { ...row, disclosures: changed.map((one) => `${one}~`).join('') }
}

describe('an export of a log with', () => {
  test.each(Object.entries(attacks))('%s is refused by both implementations', async (_, attack) => {
    const before = JSON.stringify(small.stored())
    const log = small.stored()
    expect(verifyStored(log, { pin: keys }).verdict).toBe('ok')
    attack(log)
    expect(JSON.stringify(log)).not.toBe(before)
    const head = log.head && { ...log.head, size: log.rows.length }
    expect(verifyStored({ ...log, head }, { pin: keys }).verdict).not.toBe('ok')
    await expect(verifyText(linesOf(log, keys, true))).rejects.toThrow(refused)
    await expect(verifyFiles(tilesOf(log, keys, true))).rejects.toThrow(refused)
  })

  test('the checkpoint of a thousand records missing is refused', async () => {
    const log = large.stored()
    const checkpoints = log.checkpoints.filter(({ size }) => size !== 2000)
    expect(checkpoints.length).toBe(log.checkpoints.length - 1)
    await expect(verifyText(linesOf({ ...log, checkpoints }, keys, false))).rejects.toThrow('2000')
  })

  test('other keys is refused by whoever pinned these', async () => {
    const foreign = new SignedLog('capfence.local/01JD0000000000000000000001').open()
    await expect(verifyText(linesOf(foreign.stored(), foreign.pin, false))).rejects.toThrow(refused)
    await expect(verifyText(linesOf(foreign.stored(), keys, false))).rejects.toThrow(refused)
    await expect(verifyFiles(tilesOf(foreign.stored(), keys, false))).rejects.toThrow(refused)
  })
})

/** Records that their own keys have signed, whatever they are: a gate that writes such has a fault, or is none. */
function signedAnyhow(change: (json: string) => string): StoredLog {
  const log = new SignedLog().open()
  while (log.size < 5) log.append({ type: 'heartbeat', data: {} })
  const stored = log.stored()
  body(stored, 4, change)
  const leaves = stored.rows.map(({ leaf }) => Buffer.from(leaf).toString('hex'))
  const root = rootOf(leaves.reduce<TreeHead>(appendLeaf, emptyTree))
  const { origin, stable, epochKey } = log
  reheaded(stored, signCheckpoint({ origin, size: 5, root }, [stable, epochKey]))
  return stored
}

describe('records that are signed', () => {
  test('are accepted as they are', async () => {
    const log = signedAnyhow((json) => json)
    expect(await verifyText(linesOf(log, keys, false))).toMatchObject({ size: 5 })
  })

  const changes: Readonly<Record<string, (json: string) => string>> = {
    'another record before': (json) => json.replace(/"prev":"../, '"prev":"00'),
    'a record of its writer lost': (json) => json.replace('"wn":4', '"wn":5'),
    'a record of its writer twice': (json) => json.replace('"wn":4', '"wn":3'),
    'another seq': (json) => json.replace('"seq":4', '"seq":5'),
    'another log': (json) => json.replace(/(capfence\.local\/01JD)0/, '$11'),
    'another version': (json) => json.replace('"v":1', '"v":2'),
    blanks: (json) => json.replace(',"log"', ', "log"'),
    'a fraction': (json) => json.replace('"wn":4', '"wn":4.5'),
    'a number in another spelling': (json) => json.replace('"wn":4', '"wn":4e0'),
    'members in another order': (json) => json.replace(/("v":1),("w":"[^"]*")/, '$2,$1'),
    'a member twice': (json) => json.replace('"v":1', '"v":1,"v":1'),
    'an unknown member': (json) => json.replace(',"wn":4', ',"wn":4,"x":1'),
    'no data': (json) => json.replace('"d":{}', '"d":[]'),
    'half a character': (json) => json.replace('"d":{}', '"d":{"a":"\\ud800"}'),
    'a character escaped that need not be': (json) => json.replace('heartbeat', '\\u0068eartbeat'),
    'a day that there is not': (json) =>
      json.replace(/"ts":"[^"]*"/, '"ts":"2026-02-31T00:00:00.000Z"'),
    'a second beginning': (json) => json.replace('heartbeat', 'log.open'),
    'no writer': (json) => json.replace(/"w":"01/, '"w":"81'),
    'more than 16 levels': (json) => json.replace('{}', `{"a":${'['.repeat(16)}${']'.repeat(16)}}`),
  }
  test.each(Object.entries(changes))(
    'with %s are refused by both implementations',
    async (_, change) => {
      const log = signedAnyhow((json) => {
        expect(change(json)).not.toBe(json)
        return change(json)
      })
      expect(verifyStored(log, { pin: keys }).verdict).toBe('tampered')
      await expect(verifyText(linesOf(log, keys, false))).rejects.toMatchObject({
        name: 'Refused',
        seq: 4,
      })
      await expect(verifyFiles(tilesOf(log, keys, false))).rejects.toMatchObject({
        name: 'Refused',
        seq: 4,
      })
    },
  )
})

describe('a line that says the same in another way', () => {
  const text = linesOf(small.stored(), keys, true)
  const changes: Readonly<Record<string, (line: string) => string>> = {
    'a blank': (line) => line.replace('{"seq":3,', '{"seq": 3,'),
    'a member twice': (line) => line.replace('{"seq":3,', '{"seq":3,"seq":3,'),
    'another order': (line) => line.replace(/\{"seq":3,("leaf":"[^"]*"),/, '{$1,"seq":3,'),
    'an unknown member': (line) => line.replace('{"seq":3,', '{"x":0,"seq":3,'),
    'an unknown last member': (line) => line.replace(/("seq":3,.*)\}\n/, '$1,"x":0}\n'),
    'a number in another spelling': (line) => line.replace('{"seq":3,', '{"seq":3e0,'),
    'an empty line': (line) => line.replace('{"seq":3,', '\n{"seq":3,'),
    'no last line end': (line) => line.slice(0, -1),
    'carriage returns': (line) => line.replaceAll('\n', '\r\n'),
    'a byte order mark': (line) => `\ufeff${line}`,
    'another leaf': (line) => line.replace(/("seq":3,"leaf":")../, '$1zz'),
    'another format': (line) => line.replace('export/1', 'export/2'),
  }
  test.each(Object.entries(changes))('by %s is refused', async (_, change) => {
    expect(change(text)).not.toBe(text)
    await expect(verifyText(change(text))).rejects.toThrow(refused)
  })
})

describe('an export in which a byte is another one', () => {
  const text = Buffer.from(linesOf(small.stored(), keys, true), 'utf8')
  const files = tilesOf(small.stored(), keys, true)
  const run = { seed: 31, numRuns: 100 }

  test('is refused in JSON Lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(text.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const changed = Buffer.from(text)
          changed[at] = (changed[at] ?? 0) ^ mask
          return !(await holds(() => verifyText(changed)))
        },
      ),
      run,
    )
  })

  test('is refused in JSON Lines when it is missing or there twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.boolean(), async (at, twice) => {
        const changed = Buffer.concat([
          text.subarray(0, twice ? at + 1 : at),
          text.subarray(twice ? at : at + 1),
        ])
        return !(await holds(() => verifyText(changed)))
      }),
      run,
    )
  })

  test.each([...files.keys()])('is refused in the file %s, and without it', async (path) => {
    const bytes = files.get(path) ?? Buffer.alloc(0)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const changed = Buffer.from(bytes)
          changed[at] = (changed[at] ?? 0) ^ mask
          return !(await holds(() => verifyFiles(new Map([...files, [path, changed]]))))
        },
      ),
      { seed: 37, numRuns: 20 },
    )
    const less = new Map(files)
    less.delete(path)
    // Without disclosures nothing is claimed of them.
    if (path.startsWith('disclosures/')) expect((await verifyFiles(less)).disclosed).toBeUndefined()
    else await expect(verifyFiles(less)).rejects.toThrow(refused)
    await expect(verifyFiles(new Map([...files, [path, bytes.subarray(1)]]))).rejects.toThrow(
      refused,
    )
  })
})
