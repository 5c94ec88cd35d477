// GET /segments: the members of the set that Redis has under the cookie, as JSON. The least that one would write.  node front.mjs REDIS_PORT
import http from 'node:http'
import net from 'node:net'
const redis = net.connect(Number(process.argv[2]), '127.0.0.1').setNoDelay()
const waiting = []
let text = ''
redis.on('data', d => {
  text += d
  for (;;) {
    const head = text.indexOf('\r\n')
    if (head < 0) return
    const n = Number(text.slice(1, head)), parts = text.slice(head + 2).split('\r\n')
    if (parts.length < 2 * n + 1) return
    const members = []
    let used = head + 2
    for (let i = 0; i < n; i++) {
      members.push(parts[2 * i + 1])
      used += parts[2 * i].length + parts[2 * i + 1].length + 4
    }
    text = text.slice(used)
    waiting.shift()(members)
  }
})
const server = http.createServer((q, a) => {
  const cookie = /crumb=([^;]+)/.exec(q.headers.cookie ?? '')?.[1] ?? 'nobody'
  redis.write(`*2\r\n$8\r\nSMEMBERS\r\n$${cookie.length}\r\n${cookie}\r\n`)
  waiting.push(members => {
    const body = JSON.stringify({ segments: members })
    a.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
    a.end(body)
  })
})
server.keepAliveTimeout = 0 // a connection of the load may rest
server.listen(0, '127.0.0.1', () => console.log('127.0.0.1:' + server.address().port))
