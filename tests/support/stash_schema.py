"""The part of Stash's GraphQL schema that we use, written down from its behaviour."""

from graphql import build_schema

STASH = build_schema(
    """
    scalar Time
    scalar Int64
    scalar Map
    scalar Any

    enum SortDirectionEnum { ASC DESC }
    enum CriterionModifier {
      EQUALS NOT_EQUALS GREATER_THAN LESS_THAN INCLUDES INCLUDES_ALL EXCLUDES IS_NULL NOT_NULL
    }
    enum BulkUpdateIdMode { SET ADD REMOVE }

    input FindFilterType {
      q: String page: Int per_page: Int sort: String direction: SortDirectionEnum
    }
    input StringCriterionInput { value: String! modifier: CriterionModifier! }
    input IntCriterionInput { value: Int! value2: Int modifier: CriterionModifier! }
    input TimestampCriterionInput { value: String! value2: String modifier: CriterionModifier! }
    input MultiCriterionInput { value: [ID!] modifier: CriterionModifier! }
    input HierarchicalMultiCriterionInput {
      value: [ID!] modifier: CriterionModifier! depth: Int
    }
    input StashIDCriterionInput {
      endpoint: String stash_id: String modifier: CriterionModifier!
    }
    input PerformerFilterType {
      name: StringCriterionInput
      filter_favorites: Boolean
      tags: HierarchicalMultiCriterionInput
      updated_at: TimestampCriterionInput
      stash_id_endpoint: StashIDCriterionInput
    }
    input SceneFilterType {
      performers: MultiCriterionInput
      performer_count: IntCriterionInput
      tags: HierarchicalMultiCriterionInput
      studios: HierarchicalMultiCriterionInput
      path: StringCriterionInput
      oshash: StringCriterionInput
      is_missing: String
      updated_at: TimestampCriterionInput
    }
    input ImageFilterType {
      performers: MultiCriterionInput
      performer_count: IntCriterionInput
      updated_at: TimestampCriterionInput
      path: StringCriterionInput
      galleries: MultiCriterionInput
    }
    input GalleryFilterType { path: StringCriterionInput performers: MultiCriterionInput }
    input TagFilterType {
      name: StringCriterionInput aliases: StringCriterionInput OR: TagFilterType
    }
    input StudioFilterType {
      name: StringCriterionInput aliases: StringCriterionInput OR: StudioFilterType
    }

    type StashID { endpoint: String! stash_id: String! }
    type Folder { id: ID! path: String! }
    type Tag {
      id: ID! name: String! aliases: [String!]! updated_at: Time! scene_count: Int!
      scene_marker_count: Int!
      image_count: Int! gallery_count: Int! group_count: Int! performer_count: Int!
      studio_count: Int! parent_count: Int! child_count: Int!
    }
    type Studio { id: ID! name: String! aliases: [String!]! }
    type Fingerprint { type: String! value: String! }
    type VideoFile {
      id: ID! path: String! size: Int64! duration: Float! width: Int! height: Int!
      fingerprints: [Fingerprint!]!
    }
    type ImageFile { id: ID! path: String! size: Int64! width: Int! height: Int! }
    type GalleryFile { id: ID! path: String! }
    union VisualFile = VideoFile | ImageFile

    type Performer {
      id: ID! name: String! disambiguation: String alias_list: [String!]! urls: [String!]
      image_path: String created_at: Time! updated_at: Time! favorite: Boolean! tags: [Tag!]!
      stash_ids: [StashID!]! scene_count: Int! image_count: Int! gallery_count: Int!
      group_count: Int!
    }
    type ScenePathsType { screenshot: String preview: String stream: String vtt: String }
    type SceneMarker {
      id: ID! title: String! seconds: Float! end_seconds: Float primary_tag: Tag! tags: [Tag!]!
      created_at: Time! updated_at: Time!
    }
    type Scene {
      id: ID! title: String details: String organized: Boolean! rating100: Int
      created_at: Time! updated_at: Time!
      files: [VideoFile!]! paths: ScenePathsType! performers: [Performer!]! tags: [Tag!]!
      studio: Studio scene_markers: [SceneMarker!]!
    }
    type ImagePathsType { thumbnail: String image: String }
    type Image {
      id: ID! title: String created_at: Time! updated_at: Time! paths: ImagePathsType!
      visual_files: [VisualFile!]! performers: [Performer!]! tags: [Tag!]!
    }
    type Gallery {
      id: ID! title: String created_at: Time! updated_at: Time! folder: Folder
      files: [GalleryFile!]! performers: [Performer!]! tags: [Tag!]!
    }
    type FindPerformersResultType { count: Int! performers: [Performer!]! }
    type FindScenesResultType { count: Int! scenes: [Scene!]! }
    type FindImagesResultType { count: Int! images: [Image!]! }
    type FindGalleriesResultType { count: Int! galleries: [Gallery!]! }
    type FindTagsResultType { count: Int! tags: [Tag!]! }
    type FindStudiosResultType { count: Int! studios: [Studio!]! }
    type StashBox { name: String! endpoint: String! api_key: String! }
    type StashConfig { path: String! }
    type ConfigGeneralResult { stashBoxes: [StashBox!]! stashes: [StashConfig!]! }
    type ConfigResult { general: ConfigGeneralResult! ui: Map! plugins: Map! }
    type Version { version: String hash: String! build_time: String! }
    type StatsResultType {
      scene_count: Int! image_count: Int! gallery_count: Int! performer_count: Int!
    }

    type Query {
      findPerformer(id: ID!): Performer
      findPerformers(
        filter: FindFilterType performer_filter: PerformerFilterType
      ): FindPerformersResultType!
      findScene(id: ID): Scene
      findScenes(
        scene_filter: SceneFilterType ids: [ID!] filter: FindFilterType
      ): FindScenesResultType!
      findImage(id: ID): Image
      findImages(filter: FindFilterType image_filter: ImageFilterType): FindImagesResultType!
      findGallery(id: ID!): Gallery
      findGalleries(
        filter: FindFilterType gallery_filter: GalleryFilterType
      ): FindGalleriesResultType!
      findTag(id: ID!): Tag
      findTags(filter: FindFilterType tag_filter: TagFilterType): FindTagsResultType!
      findStudios(filter: FindFilterType studio_filter: StudioFilterType): FindStudiosResultType!
      configuration: ConfigResult!
      version: Version!
      stats: StatsResultType!
    }

    input BulkUpdateIds { ids: [ID!] mode: BulkUpdateIdMode! }
    input BulkSceneUpdateInput {
      ids: [ID!] title: String organized: Boolean
      performer_ids: BulkUpdateIds tag_ids: BulkUpdateIds
    }
    input BulkImageUpdateInput { ids: [ID!] performer_ids: BulkUpdateIds tag_ids: BulkUpdateIds }
    input BulkGalleryUpdateInput { ids: [ID!] performer_ids: BulkUpdateIds tag_ids: BulkUpdateIds }
    input StashIDInput { endpoint: String! stash_id: String! }
    input PerformerCreateInput {
      name: String! disambiguation: String alias_list: [String!] urls: [String!]
      image: String stash_ids: [StashIDInput!]
    }
    input SceneMarkerCreateInput {
      title: String! seconds: Float! end_seconds: Float scene_id: ID! primary_tag_id: ID!
      tag_ids: [ID!]
    }
    input TagCreateInput { name: String! }

    type Mutation {
      configureUISetting(key: String!, value: Any): Map!
      bulkSceneUpdate(input: BulkSceneUpdateInput!): [Scene!]
      bulkImageUpdate(input: BulkImageUpdateInput!): [Image!]
      bulkGalleryUpdate(input: BulkGalleryUpdateInput!): [Gallery!]
      performerCreate(input: PerformerCreateInput!): Performer
      performersDestroy(ids: [ID!]!): Boolean!
      sceneMarkerCreate(input: SceneMarkerCreateInput!): SceneMarker
      sceneMarkersDestroy(ids: [ID!]!): Boolean!
      tagCreate(input: TagCreateInput!): Tag
      tagsDestroy(ids: [ID!]!): Boolean!
    }
    """
)
