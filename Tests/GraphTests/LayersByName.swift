import Graph

/// A layer that stands at a place of a config, perhaps with a name, and reads another one.
func layer(_ kind: LayerKind, _ name: String? = nil, from source: String? = nil) -> LayerSpec {
  var spec = LayerSpec(kind, name: name, place: "net.yaml:5:7")
  spec.source = source
  return spec
}

func dense(_ units: Int, _ name: String? = nil, from source: String? = nil) -> LayerSpec {
  layer(.dense(DenseSpec(units: units)), name, from: source)
}
