// A plan comes on standard input; each outcome is a line on standard output.
import { text } from 'node:stream/consumers'

export const plan = JSON.parse(await text(process.stdin))

export const write = (name, outcome) => console.log(JSON.stringify({ name, ...outcome }))
