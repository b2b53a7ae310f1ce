// A process whose clock is so many milliseconds ahead of the machine's.
import process from 'node:process'

const ahead = Number(process.env['CLOCK_AHEAD_MS'])
const real = Date.now
Date.now = () => real() + ahead
