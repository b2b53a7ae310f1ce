import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { systemRandom } from '../../src/crypto/random.ts'
import { readPageFiles } from '../../src/dashboard/files.ts'
import { servePage } from '../../src/dashboard/listen.ts'
import { PageSessions } from '../../src/dashboard/sessions.ts'
import { CommandSource } from '../../src/cli/page-source.ts'
import type { Io } from '../../src/cli/io.ts'
import { SQLiteEngine } from '../../src/storage/sqlite-engine.ts'
import { SQLiteLog } from '../../src/storage/sqlite-log.ts'
import { root } from '../support/root.ts'

/** An answer to a request that a test writes by itself. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** What a request says of itself. */
export type RequestHeaders = Readonly<Record<string, string>>

/** The page over a log, without a browser: a test can say of itself what it likes. */
export class TestPage {
  readonly port: number
  readonly sessions: PageSessions
  readonly failures: unknown[]
  #cookie = ''
  #csrf = ''

  private constructor(port: number, sessions: PageSessions, failures: unknown[]) {
    this.port = port
    this.sessions = sessions
    this.failures = failures
  }

  static async over(
    place: { readonly storage?: string; readonly config?: string },
    nowMs: () => number = () => Date.now(),
  ): Promise<TestPage> {
    const failures: unknown[] = []
    const sessions = new PageSessions({ random: systemRandom, nowMs: () => Date.now() })
    const source = new CommandSource({
      flags: place,
      io: quietIo(nowMs),
      openLog: async ({ path }) => SQLiteLog.open(path),
      openStore: async (where) => SQLiteEngine.open({ ...where, software: 'capfence/test' }),
    })
    const files = readPageFiles(join(root, 'dist/dashboard/web'))
    const onFailure = (error: unknown): void => void failures.push(error)
    const page = await servePage({ source, sessions, files, onFailure }, 0)
    onTestFinished(async () => {
      await page.close()
      await source.close()
    })
    return new TestPage(page.port, sessions, failures)
  }

  /** What the page's own script says of itself. */
  get own(): RequestHeaders {
    return {
      host: `localhost:${String(this.port)}`,
      origin: `http://localhost:${String(this.port)}`,
      'sec-fetch-site': 'same-origin',
      'content-type': 'application/json',
      cookie: this.#cookie,
      'x-capfence-page': this.#csrf,
    }
  }

  async signIn(): Promise<void> {
    const answer = await this.send('POST', '/api/session', { code: this.sessions.newCode() })
    this.#cookie = String(answer.headers['set-cookie']).split(';')[0] ?? ''
    this.#csrf = (JSON.parse(answer.text) as { readonly csrf: string }).csrf
  }

  async get(path: string): Promise<Answered> {
    return this.send('GET', path)
  }

  async post(path: string, body: unknown): Promise<Answered> {
    return this.send('POST', path, body)
  }

  /** Sends exactly these headers and no others. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers: RequestHeaders = this.own,
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: this.port, method, path, headers, setHost: false },
        (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString()
          })
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          )
        },
      )
      request.on('error', reject)
      request.end(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body))
    })
  }
}

function quietIo(nowMs: () => number): Io {
  const output = {
    write: async () => undefined,
    isTerminal: false,
    columns: undefined,
    hasColour: false,
  }
  const none = async (): Promise<never> => {
    throw new Error('no passphrase is asked for by a page')
  }
  return {
    out: output,
    err: output,
    variables: {},
    nowMs,
    secrets: { fromTerminal: none, fromInput: none },
    stopped: new AbortController().signal,
  }
}
