#pragma once
// The argument of a finding as a graph: operations as boxes, and why one comes before another as
// arrows. Drawn by Graphviz in a child process with limits on size and time: a picture that cannot
// be drawn costs the picture.

#include <string>

#include "core/finding.h"
#include "core/result.h"

namespace ordeal::results {

// DOT text; empty when there is nothing to draw or too much (more than 40 operations). The arrows
// are the finding's edges or, when it has none, what real time and the values read say.
[[nodiscard]] std::string graph_of(const Finding& finding);

// The SVG element that `dot` makes of it; it answers within five seconds or is ended. Blocks.
[[nodiscard]] Result<std::string> draw_graph(const std::string& dot_text);

}  // namespace ordeal::results
