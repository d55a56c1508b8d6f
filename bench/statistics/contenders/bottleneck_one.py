"""bottleneck as its users call it. It sums float32 in float32, so that its sums of this file are wrong."""
import bottleneck as bn

from pipe import big, part, serve

flat = big.reshape(-1)

serve({
    "sum": lambda: bn.nansum(big),
    "mean": lambda: bn.nanmean(big),
    "minmax": lambda: (bn.nanmin(big), bn.nanmax(big)),
    "mean_axis1": lambda: bn.nanmean(big, axis=1),
    "std": lambda: bn.nanstd(big),
    "moments": lambda: (bn.nanmean(big), bn.nanstd(big), bn.nanmin(big), bn.nanmax(big)),
    "std_axis0": lambda: bn.nanstd(big, axis=0),
    "median_25m": lambda: bn.median(part),
    "median_250m": lambda: bn.median(flat),
})
