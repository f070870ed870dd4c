/// GFLOP/s of one layer in its three directions.
struct Speeds {
  var forward: Double
  var byData: Double
  var byWeights: Double
}
