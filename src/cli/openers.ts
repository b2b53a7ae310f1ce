import type { LocalServer, RemoteServer } from '../config/start.ts'
import type { OpenChannel } from '../mcp/connection.ts'
import type { ChannelEvents } from '../transport/channel.ts'
import type { ChildChannel } from '../transport/child.ts'
import { childEnvironment } from '../transport/environment.ts'
import type { EnvironmentOptions } from '../transport/environment.ts'
import type { ProcessTree } from '../transport/tree.ts'

/** With what a server is started. */
export interface LocalOpening {
  readonly scope: EnvironmentOptions['scope']
  /** The environment of this process. */
  readonly variables: NodeJS.ProcessEnv
  readonly maxMessageBytes: number
  readonly tree: ProcessTree
}

/** Starts a server that is a process of this machine. */
export function localOpener(
  server: LocalServer,
  { scope, variables, maxMessageBytes, tree }: LocalOpening,
): (events: ChannelEvents) => ChildChannel {
  const launch = {
    command: server.command,
    args: server.args,
    env: childEnvironment({
      inherited: variables,
      declared: server.env,
      scope,
      platform: process.platform,
    }),
    ...(server.cwd !== undefined && { cwd: server.cwd }),
  }
  return (events) => tree.start(launch, { maxMessageBytes }, events)
}

/** Reaches a server over HTTP. What that takes is loaded only where there is such a server. */
export async function remoteOpener(
  { url, headers }: RemoteServer,
  maxMessageBytes: number,
): Promise<OpenChannel> {
  const { openHttp } = await import('../mcp/http-channel.ts')
  return (events) => openHttp({ url, headers, maxMessageBytes }, events)
}
