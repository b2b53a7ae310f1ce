import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CapFenceError } from '../../src/errors.ts'
import type { Store } from '../../src/runtime/store.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { WriterChild } from './children.ts'
import { codeOf, verified } from './contract-context.ts'
import { decisionOn, newCall, sealedArguments, storing } from './drafts.ts'
import { newSQLitePlace, sqlitePlaceIn } from './sqlite-subject.ts'
import type { SQLitePlace } from './sqlite-subject.ts'

/** Only the superuser can mount; where nobody can, the limit on file sizes below stands for a full disk. */
const canMount = isMountable()
if (!canMount) {
  process.stderr.write(
    '\n*** not run: a full disk and a read-only one, because nothing can be mounted ***\n',
  )
}

function isMountable(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-mount-'))
  const mounted = mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder)
  if (mounted) spawnSync('umount', [folder])
  rmSync(folder, { recursive: true, force: true })
  return mounted
}

function mount(...args: readonly string[]): boolean {
  return spawnSync('mount', args).status === 0
}

/** A place on a disk of its own, of this size. */
function smallDisk(size: string): SQLitePlace {
  const folder = mkdtempSync(join(tmpdir(), 'capfence-disk-'))
  if (!mount('-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder)) throw new Error('not mounted')
  onTestFinished(() => {
    // Lazily: a test that failed may have left the database open.
    spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return sqlitePlaceIn(folder)
}

/** Commits until one is refused. */
async function fill(store: Store): Promise<CapFenceError> {
  for (let index = 0; index < 10_000; index += 1) {
    const args = sealedArguments({ text: 'x'.repeat(10_000) })
    const effects = { records: [decisionOn(newCall(), { args })], disclosures: args.disclosures }
    try {
      await store.commit(() => ({ ...effects, result: undefined }), 'power')
    } catch (error) {
      if (error instanceof CapFenceError) return error
      throw error
    }
  }
  throw new Error('the disk never got full')
}

describe.skipIf(!canMount)('a disk', () => {
  test('that is full: nothing is acknowledged that is not stored, the outage is noted meanwhile, and it goes on afterwards', async () => {
    const place = smallDisk('3m')
    const store = place.open({ maxLockWaitMs: 200 })
    expect(statSync(`${place.path}-reserve`).size).toBe(262_144)
    const filler = join(place.folder, 'filler')
    writeFileSync(filler, Buffer.alloc(1_000_000))

    const error = await fill(store)
    expect(error).toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      hint: expect.stringContaining('free space') as string,
    })
    // The reserve was given up, and took the record of the outage.
    expect(existsSync(`${place.path}-reserve`)).toBe(false)
    const last = (await store.records((await store.size()) - 1, 1))[0]
    expect(last).toMatchObject({ type: 'audit.gap', data: { reason: 'full', unrecorded: 1 } })
    await fill(store)
    await verified(store)

    rmSync(filler)
    expect(await codeOf(store.commit(storing(decisionOn(newCall())), 'power'))).toBe('stored')
    const [gap, decision] = await store.records((await store.size()) - 2, 2)
    expect(gap).toMatchObject({ type: 'audit.gap', data: { reason: 'full' } })
    expect(decision?.type).toBe('decision')
    await verified(store)
    await store.close()
  })

  test('that is full when a gate starts: it does not start, and the log stays sound', async () => {
    const place = smallDisk('2m')
    const store = place.open()
    await store.commit(storing(decisionOn(newCall())), 'power')
    await store.close()
    spawnSync('sh', ['-c', `cat /dev/zero > ${join(place.folder, 'filler')}`])
    const code = await codeOf(
      (async () => {
        const second = place.open()
        const error = await fill(second)
        await second.close()
        throw error
      })(),
    )
    expect(code).toBe('AUDIT_UNAVAILABLE')
    rmSync(join(place.folder, 'filler'))
    const third = place.open()
    await verified(third)
    await third.close()
  })

  test('that cannot be written: no gate starts, but the log can be read', async () => {
    const place = smallDisk('2m')
    const store = place.open()
    await store.commit(storing(decisionOn(newCall())), 'power')
    await store.close()
    expect(mount('-o', 'remount,ro', place.folder)).toBe(true)
    expect(() => place.open()).toThrow(expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }))
    const log = SQLiteLog.open(place.path)
    expect((await verified(log)).size).toBe(4)
    await log.close()
  })
})

test('a process that may not make its files larger: refused with a reason, and the log stays sound', async () => {
  const place = newSQLitePlace()
  const job = { kind: 'until-refused', count: 20_000, durability: 'process' } as const
  // In blocks of 512 bytes: two megabytes. The signal would end the process before it could say anything.
  const child = new WriterChild(place, job, "trap '' XFSZ; ulimit -f 4096;")
  const { refused } = await child.until((fact) => fact.refused !== undefined)
  await child.end()
  expect(refused).toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
  expect(refused?.hint).toBeTruthy()
  const store = place.open()
  const acknowledged = child.facts.filter(({ call }) => call !== undefined)
  expect(acknowledged.length).toBeGreaterThan(100)
  for (const { call = '', seq } of acknowledged) {
    expect(await store.call(call)).toMatchObject([{ seq }])
  }
  await verified(store)
  await store.close()
})
