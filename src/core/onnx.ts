// ONNX Runtime, loaded with its telemetry off: since 1.29 it keeps a device ID in ~/.cache/Microsoft and sends what it runs on
// to Microsoft (microsoft/onnxruntime#27379), unless this variable is set before its library is loaded.

export function loadOnnx(): Promise<typeof import('onnxruntime-node')> {
  process.env.ORT_DISABLE_TELEMETRY = '1'
  return import('onnxruntime-node')
}
