'use strict';
// Unpacks the operations that results/trace.cc packed: columns of LEB128 numbers, deflated, in
// base64. Times become seconds since the start of the run.
async function unpackTrace(names, text) {
  const binary = atob(text);
  const packed = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = names.operations;
  let at = 0;
  function number() {
    let value = 0, scale = 1;
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }
  const signed = () => { const v = number(); return v % 2 === 0 ? v / 2 : -(v + 1) / 2; };
  const ops = {
    n, names, id: new Uint32Array(n), start: new Float64Array(n), end: new Float64Array(n),
    client: new Uint32Array(n), node: new Uint16Array(n), f: new Uint8Array(n),
    outcome: new Uint8Array(n), key: new Uint32Array(n), error: new Uint32Array(n),
    revision: new Float64Array(n), longest: 0, first: 0, last: 0,
  };
  let sum = 0;
  for (let i = 0; i < n; i++) ops.id[i] = sum += number();
  sum = 0;
  for (let i = 0; i < n; i++) ops.start[i] = (sum += signed()) / 1e6;
  for (let i = 0; i < n; i++) {
    const took = number();
    ops.end[i] = took === 0 ? NaN : ops.start[i] + (took - 1) / 1e6;
    if (took > 0) ops.longest = Math.max(ops.longest, (took - 1) / 1e6);
    ops.last = Math.max(ops.last, took === 0 ? ops.start[i] : ops.end[i]);
  }
  for (let i = 0; i < n; i++) ops.client[i] = number();
  for (let i = 0; i < n; i++) ops.node[i] = number();
  for (let i = 0; i < n; i++) { const v = number(); ops.f[i] = v >> 2; ops.outcome[i] = v & 3; }
  for (let i = 0; i < n; i++) ops.key[i] = number();
  for (let i = 0; i < n; i++) ops.error[i] = number();
  sum = 0;
  for (let i = 0; i < n; i++) ops.revision[i] = sum += signed();
  ops.first = n > 0 ? ops.start[0] : 0;
  const texts = [0, 1].map(() => {
    const size = number();
    const part = bytes.subarray(at, at + size);
    at += size;
    let lines = null;  // split when somebody asks
    return (i) => (lines ??= new TextDecoder().decode(part).split('\n'))[i];
  });
  ops.asked = texts[0];
  ops.answered = texts[1];
  // The operation of that id, -1 when it is not among them.
  ops.find = (id) => {
    let low = 0, high = n - 1;
    while (low <= high) {
      const mid = (low + high) >> 1;
      if (ops.id[mid] === id) return mid;
      if (ops.id[mid] < id) low = mid + 1; else high = mid - 1;
    }
    return -1;
  };
  // The first operation that begins at or after the time.
  ops.from = (time) => {
    let low = 0, high = n;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (ops.start[mid] < time) low = mid + 1; else high = mid;
    }
    return low;
  };
  return ops;
}
const OUTCOMES = ['ok', 'failed', 'unknown', 'no answer'];
function requestWords(ops, i) {
  const asked = ops.asked(i);
  const key = ops.names.keys[ops.key[i]], numbered = /^-?\d+$/.test(key);
  return `${ops.names.functions[ops.f[i]]} ${numbered ? 'key ' : ''}${key}${asked ? (numbered ? ': ' : ' ') + asked : ''}`;
}
function answerWords(ops, i) {
  if (ops.outcome[i] === 0) return ops.answered(i) || 'ok';
  const error = ops.names.errors[ops.error[i]];
  return OUTCOMES[ops.outcome[i]] + (error ? ': ' + error : '');
}
