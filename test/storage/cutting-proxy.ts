import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A relay before a database that can cut a connection at a chosen statement, and refuse new ones. */
export class CuttingProxy {
  /** Connections that it has cut. */
  cuts = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #word: Buffer | undefined
  #when: 'before' | 'after' = 'before'
  #refuses = false

  private constructor(port: number) {
    this.#server = createServer((client) => this.#relay(client, port))
  }

  static async before(port: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port)
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve)
    })
    onTestFinished(() => proxy.#close())
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts the next connection on which a statement is sent: before the database sees it, or once it has answered. */
  cutAt(statement: string, when: 'before' | 'after'): void {
    this.#word = Buffer.from(`${statement}\0`)
    this.#when = when
  }

  refuse(refuses: boolean): void {
    this.#refuses = refuses
  }

  #relay(client: Socket, port: number): void {
    if (this.#refuses) {
      client.destroy()
      return
    }
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        client.destroy()
        upstream.destroy()
      })
    }
    let isLast = false
    client.on('data', (bytes: Buffer) => {
      if (this.#word !== undefined && bytes.includes(this.#word)) {
        this.#word = undefined
        this.cuts += 1
        if (this.#when === 'before') {
          client.destroy()
          return
        }
        isLast = true
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes: Buffer) => {
      if (isLast) client.destroy()
      else client.write(bytes)
    })
  }

  #close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
