// Ends the process, as kill -9 would, right before the step of this number that changes names or files.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'

const at = Number(process.env['DIES_AT'])
let steps = 0

for (const name of [
  'renameSync',
  'rmSync',
  'rmdirSync',
  'writeFileSync',
  'mkdirSync',
  'openSync',
]) {
  const real = Reflect.get(fs, name)
  Reflect.set(fs, name, (/** @type {readonly unknown[]} */ ...args) => {
    // Opening for reading changes nothing.
    if (name !== 'openSync' || /[wa+]/.test(String(args[1]))) {
      steps += 1
      if (steps === at) process.kill(process.pid, 'SIGKILL')
    }
    return real(...args)
  })
}
syncBuiltinESMExports()
