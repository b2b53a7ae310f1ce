import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'
import { Journal } from '../../src/clients/journal.ts'
import { foundFiles, type FoundFile, type Surroundings } from '../../src/clients/locate.ts'
import type { WrapOptions } from '../../src/clients/wrap.ts'
import type { Sample } from './samples.ts'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A home folder, a client's file in it, and how it is wrapped. */
export interface Place {
  readonly around: Surroundings
  readonly path: string
  readonly file: FoundFile
  readonly options: WrapOptions
}

const emptyConfig = `{
  "environment": "development", // where
  "policies": ["policy.yaml"],
  "mcpServers": {}
}
`

/** A home folder with one client's file, and CapFence's configuration. */
export function placed({ path, text }: Pick<Sample, 'path' | 'text'>): Place {
  const home = mkdtempSync(join(tmpdir(), 'capfence-home-'))
  folders.push(home)
  const around: Surroundings = {
    home,
    platform: 'linux',
    variables: {},
    folder: join(home, 'project'),
  }
  const at = path.startsWith('./') ? join(around.folder, path) : join(home, path)
  mkdirSync(dirname(at), { recursive: true })
  writeFileSync(at, text)
  const config = join(home, 'own', 'capfence.mcp.json')
  mkdirSync(dirname(config))
  writeFileSync(config, emptyConfig)
  const [file] = foundFiles(around)
  if (file === undefined) throw new Error(`${path} is not found`)
  const options: WrapOptions = {
    config,
    gate: (server) => ({
      command: '/opt/node',
      args: ['/opt/capfence/dist/cli/main.js', 'run', '--config', config, '--server', server],
    }),
    journal: new Journal(join(home, 'own')),
    only: undefined,
    isDry: false,
    time: '2026-11-25T14:00:00.000Z',
  }
  return { around, path: at, file, options }
}
