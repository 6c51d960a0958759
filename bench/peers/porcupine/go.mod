module ordeal-peer-porcupine

go 1.26.8

require github.com/anishathalye/porcupine v1.0.0 // indirect
