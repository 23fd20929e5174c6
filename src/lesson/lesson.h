/* The lesson: the checks of the lecture's lab and the actions that run them. */
#pragma once

#include "region/action.h"

/* Ends with a NULL name. */
extern const struct action lesson_actions[];
