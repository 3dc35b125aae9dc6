// The size of the window, which the user may change at any time; the height comes from elsewhere, since Ink's stdout has none (terminal.ts).
import {useStdout} from 'ink'
import {useCallback, useEffect, useState} from 'react'

export function useSize(height: () => number): {width: number; rows: number} {
  const {stdout} = useStdout()
  const read = useCallback(() => ({width: Math.max(20, Math.min(200, stdout.columns || 80)), rows: Math.max(8, height() || 24)}), [stdout, height])
  const [size, setSize] = useState(read)
  useEffect(() => {
    const onResize = (): void => setSize(read())
    stdout.on('resize', onResize)
    return () => { stdout.off('resize', onResize) }
  }, [stdout, read])
  return size
}
