import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { change, closedLog, commitOne, openLog } from '../storage/log-files.ts'
import { expectSigned } from '../storage/signed-log.ts'
import { capfence } from './capture.ts'

const words = ['--by', 'ann', '--reason', 'restored from monday']
const recover = (path: string, ...more: readonly string[]): ReturnType<typeof capfence> =>
  capfence(['audit', 'recover', '--storage', path, ...words, ...more])

async function rolledBackLog(): Promise<string> {
  const path = await closedLog()
  copyFileSync(path, `${path}.old`)
  const store = openLog(path)
  await commitOne(store)
  await store.close()
  copyFileSync(`${path}.old`, path)
  return path
}

test('a log that was rolled back goes on, with a record of who confirmed it and why', async () => {
  const path = await rolledBackLog()
  const { code, out, err } = await recover(path)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toContain('it holds 6 records, and 9 were written')
  const store = openLog(path)
  const [record] = await store.records(6, 1)
  await store.close()
  expect(record).toMatchObject({
    type: 'log.recover',
    data: { by: 'ann', reason: 'restored from monday', lost: { size: 9 } },
  })
  expectSigned(path)
})

test('a program is told what it was', async () => {
  const { code, out } = await recover(await rolledBackLog(), '--json')
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({
    ...{ schemaVersion: 1, type: 'audit-recover' },
    break: expect.stringContaining('rolled back') as string,
  })
})

test('where there is nothing to recover the answer is no', async () => {
  const { code, out, err } = await recover(await closedLog())
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toContain('nothing to recover')
})

test('a log that is damaged in itself is not recovered', async () => {
  const path = await closedLog()
  change(path, 'UPDATE head SET note = NULL')
  rmSync(`${path}.highwater`)
  const { code, out, err } = await recover(path)
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err).toContain('its head is not signed')
})

test('who and why must be said, and no log is made', async () => {
  const path = await rolledBackLog()
  const { code } = await capfence(['audit', 'recover', '--storage', path, '--by', 'ann'])
  expect(code).toBe(2)
  const missing = `${path}.none`
  expect(await recover(missing)).toMatchObject({ code: 3, out: '' })
  expect(existsSync(missing)).toBe(false)
})
