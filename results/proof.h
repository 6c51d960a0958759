#pragma once
// What makes a finding a proof, as the pages show it: the witness as a table and as a picture, and
// the argument.

#include <string>

#include "core/run.h"
#include "results/markdown.h"

namespace ordeal::results {

void add_witness_table(Page& page, const Finding& finding);
void add_picture(Page& page, const RunRecord& run, const Finding& finding);
// Numbered steps, each with the operations that it rests on.
void add_argument(Page& page, const Finding& finding);

}  // namespace ordeal::results
