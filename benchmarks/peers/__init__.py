"""What users would pick instead, each as small and idiomatic as it can be."""
