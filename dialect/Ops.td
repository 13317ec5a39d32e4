// Every op of the dialect.
include "dialect/ops/Structure.td"
include "dialect/ops/Weights.td"
include "dialect/ops/Compute.td"
include "dialect/ops/Moe.td"
include "dialect/ops/Program.td"
include "dialect/ops/Regions.td"
