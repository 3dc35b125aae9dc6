// A GGUF file of TinyLlama-1.1B's shape in Q4_0 with random weights: as fast and as large as the paper's model, and no download.
import {randomBytes} from 'node:crypto'
import {closeSync, openSync, writeSync} from 'node:fs'

const shape = {layers: 22, width: 2048, hidden: 5632, heads: 32, kvHeads: 4, vocabulary: 32_000, context: 2048}
const [f32, q4_0] = [0, 2]
const alignment = 32

interface Tensor { name: string; dims: number[]; type: number }

function tensors(): Tensor[] {
  const {layers, width, hidden, heads, kvHeads, vocabulary} = shape
  const matrix = (name: string, from: number, to: number): Tensor => ({name: `${name}.weight`, dims: [from, to], type: q4_0})
  const norm = (name: string): Tensor => ({name: `${name}.weight`, dims: [width], type: f32})
  const kv = width / heads * kvHeads
  return [
    matrix('token_embd', width, vocabulary), norm('output_norm'), matrix('output', width, vocabulary),
    ...Array.from({length: layers}, (_, i) => `blk.${i}`).flatMap(block => [
      norm(`${block}.attn_norm`), matrix(`${block}.attn_q`, width, width), matrix(`${block}.attn_k`, width, kv), matrix(`${block}.attn_v`, width, kv),
      matrix(`${block}.attn_output`, width, width), norm(`${block}.ffn_norm`), matrix(`${block}.ffn_gate`, width, hidden),
      matrix(`${block}.ffn_up`, width, hidden), matrix(`${block}.ffn_down`, hidden, width),
    ]),
  ]
}

/** Q4_0: blocks of 32 weights in 18 bytes. */
const bytesOf = ({dims, type}: Tensor): number => dims.reduce((a, b) => a * b) * (type === f32 ? 4 : 18 / 32)
const padded = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

const u32 = (n: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt32LE(n); return b }
const u64 = (n: number): Buffer => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b }
const float = (n: number): Buffer => { const b = Buffer.alloc(4); b.writeFloatLE(n); return b }
const text = (s: string): Buffer => Buffer.concat([u64(Buffer.byteLength(s)), Buffer.from(s)])
/** The type's number in the file, then the value. */
const field = {
  number: (key: string, n: number): Buffer => Buffer.concat([text(key), u32(4), u32(n)]),
  float: (key: string, n: number): Buffer => Buffer.concat([text(key), u32(6), float(n)]),
  text: (key: string, s: string): Buffer => Buffer.concat([text(key), u32(8), text(s)]),
  list: (key: string, type: number, items: Buffer[]): Buffer => Buffer.concat([text(key), u32(9), u32(type), u64(items.length), ...items]),
}

function metadata(): Buffer[] {
  const ids = Array.from({length: shape.vocabulary}, (_, i) => i)
  const special = ['<unk>', '<s>', '</s>']
  const isByte = (i: number): boolean => i >= 3 && i < 259
  return [
    field.text('general.architecture', 'llama'),
    field.number('llama.context_length', shape.context), field.number('llama.embedding_length', shape.width),
    field.number('llama.block_count', shape.layers), field.number('llama.feed_forward_length', shape.hidden),
    field.number('llama.rope.dimension_count', shape.width / shape.heads),
    field.number('llama.attention.head_count', shape.heads), field.number('llama.attention.head_count_kv', shape.kvHeads),
    field.float('llama.attention.layer_norm_rms_epsilon', 1e-5), field.number('general.file_type', 2),
    field.text('tokenizer.ggml.model', 'llama'),
    field.list('tokenizer.ggml.tokens', 8, ids.map(i => text(special[i] ?? (isByte(i) ? `<0x${(i - 3).toString(16).toUpperCase().padStart(2, '0')}>` : `t${i}`)))),
    field.list('tokenizer.ggml.scores', 6, ids.map(i => float(-i))),
    // 1 is a plain token, 2 unknown, 3 control, 6 a byte.
    field.list('tokenizer.ggml.token_type', 5, ids.map(i => u32(i === 0 ? 2 : i < 3 ? 3 : isByte(i) ? 6 : 1))),
    field.number('tokenizer.ggml.bos_token_id', 1), field.number('tokenizer.ggml.eos_token_id', 2), field.number('tokenizer.ggml.unknown_token_id', 0),
  ]
}

/** Random weights, small enough that sums stay finite. */
function randomBlocks(count: number): Buffer {
  const blocks = randomBytes(count * 18)
  // 0x1800 is 2^-9 as a 16-bit float: the scale of the block.
  for (let at = 0; at < blocks.length; at += 18) blocks.writeUInt16LE(0x1800, at)
  return blocks
}

/** Writes the file, 620 MB. */
export function writePaperModel(file: string): void {
  const all = tensors()
  const fields = metadata()
  let offset = 0
  const infos = all.map(t => {
    const info = Buffer.concat([text(t.name), u32(t.dims.length), ...t.dims.map(u64), u32(t.type), u64(offset)])
    offset += padded(bytesOf(t))
    return info
  })
  const head = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(all.length), u64(fields.length), ...fields, ...infos])
  const out = openSync(file, 'w', 0o600)
  try {
    writeSync(out, Buffer.concat([head, Buffer.alloc(padded(head.length) - head.length)]))
    const blocks = randomBlocks(1 << 18)
    for (const tensor of all) {
      const bytes = bytesOf(tensor)
      if (tensor.type === f32) writeSync(out, Buffer.concat(Array.from({length: bytes / 4}, () => float(1))))
      else for (let left = bytes; left > 0; left -= blocks.length) writeSync(out, blocks, 0, Math.min(left, blocks.length))
      writeSync(out, Buffer.alloc(padded(bytes) - bytes))
    }
  } finally { closeSync(out) }
}
