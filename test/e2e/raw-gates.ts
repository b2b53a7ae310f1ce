import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach } from 'vitest'
import { gateCommand, layOut, RawClient } from './gate.ts'
import type { GateFiles, GateOptions } from './gate.ts'

/** Gates before the server `raw`, and clients that write what they like. */
export interface RawGates {
  readonly files: (options?: Partial<GateOptions>) => GateFiles
  readonly client: (laid: GateFiles, server?: string) => RawClient
}

/** For one test file: its clients are closed after each test, its folders are removed after the last. */
export function rawGates(): RawGates {
  const folders: string[] = []
  let open: RawClient[] = []
  afterEach(async () => {
    await Promise.all(open.map((peer) => peer.close()))
    open = []
  })
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  })
  return {
    files: (options = {}) => {
      const folder = mkdtempSync(join(tmpdir(), 'capfence-raw-'))
      folders.push(folder)
      return layOut(folder, { servers: { raw: 'raw' }, ...options })
    },
    client: (laid, server) => {
      const { command, args } = gateCommand(laid, server)
      const made = new RawClient(command, args)
      open.push(made)
      return made
    },
  }
}
