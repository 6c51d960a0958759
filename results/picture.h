#pragma once
// A finding as an SVG picture: the scene that the text timeline shows, with bars for operations,
// bands for faults and the leader below. Colours come from the page's style. Pure.

#include <string>

#include "results/scene.h"

namespace ordeal::results {

[[nodiscard]] std::string draw_picture(const Scene& scene);

}  // namespace ordeal::results
