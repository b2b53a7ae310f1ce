/** JSON-RPC 2.0 error codes that a gate may answer with (JSON-RPC 2.0, section 5.1). */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
} as const

/** The error member of a response. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/**
 * An error response.
 *
 * @param idText the JSON text of the request's id, or null when it could not be read
 */
export function errorMessage(idText: string | null, error: RpcError): Uint8Array {
  return Buffer.from(`{"jsonrpc":"2.0","id":${idText ?? 'null'},"error":${JSON.stringify(error)}}`)
}

/** A result response; `resultText` is JSON. */
export function resultMessage(idText: string, resultText: string): Uint8Array {
  return Buffer.from(`{"jsonrpc":"2.0","id":${idText},"result":${resultText}}`)
}

/** A request of the gate's own; `paramsText` is JSON. */
export function requestMessage(idText: string, method: string, paramsText?: string): Uint8Array {
  return Buffer.from(
    `{"jsonrpc":"2.0","id":${idText},"method":${JSON.stringify(method)}${paramsMember(paramsText)}}`,
  )
}

/** A notification of the gate's own; `paramsText` is JSON. */
export function notificationMessage(method: string, paramsText?: string): Uint8Array {
  return Buffer.from(
    `{"jsonrpc":"2.0","method":${JSON.stringify(method)}${paramsMember(paramsText)}}`,
  )
}

function paramsMember(paramsText: string | undefined): string {
  return paramsText === undefined ? '' : `,"params":${paramsText}`
}
